"""Why a cell is wrong, in the reader's language: a reason brings its Chinese along, or is told by the template of its English.

A template has holes in braces, which are carried over. What stands in a hole may have a name in the other language too: the
names of choices do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

Language = Literal["zh", "en"]

CHINESE = {
    "is missing": "缺少内容",
    "this column is missing": "缺少此列",
    "is empty": "为空",
    "is a formula: paste its value": "是公式：请粘贴为数值",
    "is a date to the spreadsheet: format the column as text": "被表格软件识别为日期：请把该列设为文本格式",
    "is a truth value to the spreadsheet: format the column as text": "被表格软件识别为逻辑值：请把该列设为文本格式",
    "is an error of the spreadsheet": "是表格软件的错误值",
    "has members of its own: write one value": "含有下级成员：请只写一个值",
    "is a number of which the spreadsheet may have lost digits or noughts: format the column as text":
        "是数值，表格软件可能已丢失位数或前导零：请把该列设为文本格式",
    "is not JSON": "不是 JSON",
    "is not a JSON object": "不是 JSON 对象",
    "has a member {name} that none of the first {count} lines has": "含有前 {count} 行都没有的成员 {name}",
    "has {cells} cells where the heading has {width}": "有 {cells} 个单元格，而表头有 {width} 个",
    "stands in row {row} already": "与第 {row} 行重复",
    "the total is {total}, the rows come to {sum}": "合计为 {total}，各行之和为 {sum}",
    "the total is {total} pieces, the rows are {count}": "合计为 {total} 件，实际为 {count} 行",
    "the total is not a number in plain digits": "合计不是普通数字",
    "the total is {total} and cannot be checked: row {row} has no number to read":
        "合计为 {total}，无法核对：第 {row} 行没有可读的数字",
    "no unit of this column is called {word}": "此列没有名为 {word} 的单位",
    "the same column as {heading}": "与列 {heading} 相同",
    "the file has more than {most} rows: send it in parts": "文件超过 {most} 行：请分批上传",
    "the file is empty": "文件为空",
    "the heading has more than {most} columns": "表头超过 {most} 列",
    "in line {line} there are bytes that are neither UTF-8 nor GB18030": "第 {line} 行有既非 UTF-8 也非 GB18030 的字节",
    "after row {row}: {why}": "第 {row} 行之后：{why}",
    "a line is longer than {most} characters": "有一行超过 {most} 个字符",
    "a row is longer than {most} characters": "有一行数据超过 {most} 个字符",
    "line {line} is longer than {most} bytes": "第 {line} 行超过 {most} 字节",
    "this is a workbook of the old kind (XLS): save it as XLSX": "这是旧版工作簿（XLS）：请另存为 XLSX",
    "no sheet {name}: there are {names}": "没有名为 {name} 的工作表：现有 {names}",
    "only a workbook has sheets": "只有工作簿才有工作表",
    "the workbook unpacks to more than {most} MiB": "工作簿解压后超过 {most} MiB",
    "the workbook unpacks to more than {most} times its size": "工作簿解压后超过自身大小的 {most} 倍",
    "the workbook has more than {most} cell formats": "工作簿的单元格格式超过 {most} 种",
    "the workbook has a tag or a text longer than {most} bytes": "工作簿中有标签或文本超过 {most} 字节",
    "the workbook's archive is broken: {why}": "工作簿压缩包已损坏：{why}",
    "the company or its user may no longer act": "该公司或用户已被停用",
    "the file could not be processed; the operator has been told": "文件无法处理，已通知平台运营方",
}  # fmt: skip


class Reason(str):
    """A reason in English that brings its Chinese along."""

    __slots__ = ("zh",)

    def __new__(cls, en: str, zh: str | None) -> Reason:
        reason = super().__new__(cls, en)
        reason.zh = zh
        return reason


def reason_of(error: ValueError) -> str:
    """Why a text was not read; an error that has its Chinese as ``zh`` brings it along."""
    zh = getattr(error, "zh", None)
    return str(error) if zh is None else Reason(str(error), zh)


_hole = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Words:
    """How reasons are told in Chinese: templates by their English, and names of what stands in their holes."""

    templates: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        holed = {english: chinese for english, chinese in (CHINESE | self.templates).items() if "{" in english}
        return [(_compile(english), chinese) for english, chinese in holed.items()]

    def tell(self, reason: str, language: Language, zh: str | None = None) -> str:
        """A reason in a language, in Chinese as it was brought along; one that no template makes is told in English."""
        if language == "en" or zh is not None:
            return zh if zh is not None and language == "zh" else reason
        plain = self.templates.get(reason) or CHINESE.get(reason)
        return plain or next(
            (told for told in map(lambda each: self._fill(reason, each), self._patterns) if told), reason
        )

    def _fill(self, reason: str, template: tuple[re.Pattern[str], str]) -> str | None:
        pattern, chinese = template
        if (found := pattern.fullmatch(reason)) is None:
            return None
        return _hole.sub(lambda hole: self._name(found[hole[1]]), chinese)

    def _name(self, text: str) -> str:
        return "、".join(self.names.get(part, part) for part in text.split(", ")) if self.names else text


@lru_cache(512)
def _compile(template: str) -> re.Pattern[str]:
    parts = _hole.split(template)
    return re.compile(
        "".join(re.escape(part) if i % 2 == 0 else f"(?P<{part}>.+)" for i, part in enumerate(parts)), re.DOTALL
    )
