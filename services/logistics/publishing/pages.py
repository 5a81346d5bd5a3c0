"""A public page as HTML for people: no script, nothing loaded from elsewhere, every text escaped. Pure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection
from hashlib import sha256
from html import escape

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from services.logistics.publishing.shown import Shown

_STYLE = (
    "body{margin:0;font:16px/1.5 system-ui,sans-serif;color:#1c1e21;background:#f6f7f9}main{max-width:42rem;margin:0 auto;"
    "padding:1.5rem;background:#fff;min-height:100vh;box-sizing:border-box}h1{font-size:1.5rem;line-height:1.25}"
    "h2{font-size:1.1rem;margin-top:2rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dd{margin:0;"
    "overflow-wrap:anywhere}ol{list-style:none;padding:0;border-left:3px solid #1b6ec2}li{padding:.4rem 1rem}"
    "li time{color:#52575c;font-size:.9rem}p{white-space:pre-line}footer{margin-top:2rem;color:#52575c;font-size:.9rem}"
    "a{color:#0b57a4}"
)
POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a browser may do with the page: show it with the style that stands in it."""

WORDS = {
    "zh": {
        "history": "历程",
        "documents": "文件",
        "published": "由以下企业发布",
        "lot": "批号",
        "serial": "序列号",
        "other": "English",
        "nothing": "该企业没有公开历程。",
    },
    "en": {
        "history": "History",
        "documents": "Documents",
        "published": "Published by",
        "lot": "Lot",
        "serial": "Serial number",
        "other": "中文",
        "nothing": "Its maker shows no history.",
    },
}
STEPS = {
    "commissioning": ("生产", "Made"),
    "creating_class_instance": ("生产", "Made"),
    "harvesting": ("采收", "Harvested"),
    "cooling": ("预冷", "Cooled"),
    "packing": ("包装", "Packed"),
    "repackaging": ("重新包装", "Repacked"),
    "inspecting": ("检验", "Inspected"),
    "accepting": ("验收", "Accepted"),
    "storing": ("入库", "Stored"),
    "stocking": ("上架", "Put on the shelf"),
    "picking": ("拣货", "Picked"),
    "loading": ("装车", "Loaded"),
    "shipping": ("发货", "Shipped"),
    "departing": ("离场", "Departed"),
    "transporting": ("运输", "Carried"),
    "arriving": ("到达", "Arrived"),
    "receiving": ("收货", "Received"),
    "unloading": ("卸货", "Unloaded"),
    "retail_selling": ("售出", "Sold"),
    "assembling": ("组装", "Assembled"),
    "repairing": ("维修", "Repaired"),
    "sensor_reporting": ("测量", "Measured"),
}
_KEYS = {"01": "GTIN", "00": "SSCC", "8003": "GRAI", "8004": "GIAI"}


def choose_language(accepted: str, there: Collection[str]) -> str:
    """The language of a page by the ``Accept-Language`` of its reader; else one that its owner wrote in."""
    for language, _ in parse_accept_header(accepted, LanguageAccept):
        if (spoken := language.partition("-")[0].lower()) in WORDS:
            return spoken
    return "en" if "en" in there or not there else "zh"


def write_page(shown: Shown, language: str) -> bytes:
    """The page in ``zh`` or ``en``; where the owner wrote in the other language only, in that one's words."""
    words = WORDS[language]
    title, text = shown.title(language), shown.text(language)
    other = "en" if language == "zh" else "zh"
    lines = [
        f'<!doctype html><html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>",
        f'<a href="?lang={other}" hreflang="{other}" lang="{other}">{words["other"]}</a><h1>{escape(title)}</h1>',
        f"<p>{escape(text)}</p>" if text else "",
        _write_name(shown, words),
        _write_steps(shown, language),
        _write_documents(shown, language),
        f"<footer>{words['published']} {escape(shown.publisher)}</footer>" if shown.publisher else "",
        "</main></body></html>",
    ]
    return "\n".join(line for line in lines if line).encode()


def _write_name(shown: Shown, words: dict[str, str]) -> str:
    name = shown.name
    rows = [(_KEYS[name.ai], name.value), (words["lot"], name.lot), (words["serial"], name.serial)]
    return f"<dl>{''.join(f'<dt>{label}</dt><dd>{escape(value)}</dd>' for label, value in rows if value)}</dl>"


def _write_steps(shown: Shown, language: str) -> str:
    words = WORDS[language]
    if not shown.steps:
        return f"<h2>{words['history']}</h2><p>{words['nothing']}</p>"
    items = []
    for step in shown.steps:
        label = STEPS.get(step.step, (step.step, step.step))[language == "en"]
        place = f" · {escape(step.place)}" if step.place else ""
        items.append(f'<li><time datetime="{step.on}">{step.on}</time><br>{escape(label)}{place}</li>')
    return f"<h2>{words['history']}</h2><ol>{''.join(items)}</ol>"


def _write_documents(shown: Shown, language: str) -> str:
    if not shown.documents:
        return ""
    items = []
    for one in shown.documents:
        titles = one["titles"]
        title = titles.get(language) or next(iter(titles.values()))
        items.append(f'<li><a rel="nofollow noopener" href="{escape(one["url"])}">{escape(title)}</a></li>')
    return f"<h2>{WORDS[language]['documents']}</h2><ul>{''.join(items)}</ul>"
