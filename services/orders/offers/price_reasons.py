"""Why a row of a price list is refused: in English as it is kept, and its templates in Chinese."""

from __future__ import annotations

from chassis.problems import Problem
from chassis.uploads.reasons import Words
from services.orders.offers.price_rows import FIELDS

_NAMES = {field.name for field in FIELDS}
_OF_FIELDS = {"product_id": "product", "warehouse_id": "warehouse", "audience": "buyer", "weigher_id": "weighing_rule"}


class RowRefused(Exception):
    """A row is not taken: which column is why, and the reason in English."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(column, reason)
        self.column, self.reason = column, reason


def refuse_by(problem: Problem, *, otherwise: str) -> RowRefused:
    """A problem as the refusal of a row: by the column that its field names, or by another."""
    path = str(problem.members.get("field", "")).removeprefix("$.").removeprefix("terms.").split(".")
    named = [_OF_FIELDS.get(part, part) for part in reversed(path)] + ["price" if path[0] == "price" else otherwise]
    column = next(name for name in named if name in _NAMES)
    return RowRefused(column, problem.detail or problem.title())


CHINESE = {
    "has more than {most} characters": "超过 {most} 个字符",
    "has signs that cannot be shown": "含有无法显示的字符",
    "names at least one company and at most {most}": "须写明 1 至 {most} 家公司",
    "is not a number in plain digits, at most 12 before and 6 after the point":
        "不是普通数字（小数点前最多 12 位，后最多 6 位）",
    "is less than nothing": "不能小于 0",
    "a price is more than nothing": "单价须大于 0",
    "is neither a day (2026-11-21) nor a time with its offset (2026-11-21T18:00:00+08:00)":
        "既不是日期（2026-11-21），也不是带时区的时间（2026-11-21T18:00:00+08:00）",
    "is a time without its offset: write 2026-11-21T18:00:00+08:00":
        "时间缺少时区：请写成 2026-11-21T18:00:00+08:00",
    "is none of {words}": "只能是：{words}",
    "is no unit that the platform knows: write its code of UN/ECE Recommendation 20":
        "平台没有此单位：请填写 UN/ECE 第 20 号建议书代码",
    "delivery is due after the offer's validity": "交货期限须晚于有效期",
    "a new offer needs this": "新报价须填写此项",
    "you have no product of this number": "贵公司没有此编号的产品",
    "only a published product is offered: this one is {state}": "只能报价已发布的产品：此产品状态为 {state}",
    "the product may not be offered: {reason}": "此产品暂不可报价：{reason}",
    "the product is of the market {market}": "此产品属于市场 {market}",
    "your company lacks the licence {scheme} for {scope}": "贵公司缺少许可证 {scheme}（范围 {scope}）",
    "your company lacks the licence {scheme}": "贵公司缺少许可证 {scheme}",
    "no company is called {name}": "没有名为 {name} 的公司",
    "several companies are called {name}: write one of {ids}": "有多家公司名为 {name}：请填写其中之一：{ids}",
    "{name} is suspended": "{name} 已被停用",
    "your own company sees it anyway": "本公司无须列为买方",
    "the offer is taken: wait for its deals or use another number": "此报价已被全部摘牌：请等待成交结果或使用其他编号",
    "the offer is of another product: withdraw it and list another": "此报价属于另一产品：请撤牌后重新挂牌",
    "the offer is to other buyers: withdraw it and list another": "此报价面向其他买方：请撤牌后重新挂牌",
    "the goods lie in another warehouse: withdraw the offer and list another": "货物存放于另一仓库：请撤牌后重新挂牌",
    "the price is for a {unit}: withdraw the offer and list another": "此报价按 {unit} 计价：请撤牌后重新挂牌",
    "the price is in {currency}: withdraw the offer and list another": "此报价以 {currency} 计价：请撤牌后重新挂牌",
    "the offer is of pieces, which say this themselves": "此报价按件挂牌，数量由各件确定",
    "less than the least that may be taken, {minimum}": "少于起订量 {minimum}",
    "its units are {units}": "单位只能是：{units}",
    "at least {minimum}": "不得少于 {minimum}",
    "a multiple of {step}": "须为 {step} 的整数倍",
    "between nothing and {most}": "须大于 0 且不超过 {most}",
    "{quantity} cannot be kept exactly in {unit}": "{quantity} 无法以 {unit} 精确表示",
    "{one} does not convert into {other}": "{one} 不能换算为 {other}",
    "one of {allowed}": "只能是：{allowed}",
    "an offer is valid between {least} and {most} from now": "有效期须在当前时间之后 {least} 至 {most} 之间",
    "delivery is due after the offer's validity and within {days} days": "交货期限须晚于有效期，且在 {days} 天之内",
    "between {least} and {most}": "须在 {least} 至 {most} 之间",
    "an earnest is between {least} and {most}": "定金须在 {least} 至 {most} 之间",
    "who weighs is to be named": "须指定第三方计量方",
    "a price for a {unit} is not settled by a scale": "按 {unit} 计价时不能以过磅结算",
    "by {rule}": "各件按 {rule} 计重，不能更改",
}  # fmt: skip

WORDS = Words(
    CHINESE,
    {
        "draft": "草稿",
        "submitted": "待审核",
        "rejected": "未通过审核",
        "retired": "已下架",
        "tax_included": "含税",
        "tax_excluded": "不含税",
        "self_pickup": "自提",
        "delivered": "送到",
    },
)
