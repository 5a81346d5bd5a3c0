"""Units of measure by their codes of UN/ECE Recommendation 20: what each measures and how many base units it is, exactly.

A word for a unit is never parsed here (one mill's t is another's ton): markets say which words of a heading mean which code.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Unit(msgspec.Struct, frozen=True):
    """A unit of measure: its Rec 20 code, what it measures, how many base units it is, and how people write it.

    Units convert into each other when they measure the same. What has no exact ratio to anything (a month, a service) measures
    itself.
    """

    code: str
    dimension: str
    factor: Decimal
    en: str = ""
    zh: str = ""


def _unit(code: str, dimension: str, factor: str, en: str, zh: str) -> Unit:
    return Unit(code, dimension, Decimal(factor), en, zh)


# UN/ECE Recommendation 20, revision 17: only units whose conversion is exact. Pounds, inches and gallons by the international
# yard and pound agreement of 1959 and 15 CFR appendix C (a US gallon is 231 cubic inches, a barrel of oil 42 gallons).
UNITS = {
    unit.code: unit
    for unit in (
        _unit("KGM", "mass", "1", "kg", "千克"),
        _unit("TNE", "mass", "1000", "t", "吨"),
        _unit("DTN", "mass", "100", "dt", "公担"),
        _unit("GRM", "mass", "0.001", "g", "克"),
        _unit("MGM", "mass", "0.000001", "mg", "毫克"),
        _unit("MC", "mass", "0.000000001", "µg", "微克"),
        _unit("LBR", "mass", "0.45359237", "lb", "磅"),
        _unit("ONZ", "mass", "0.028349523125", "oz", "盎司"),
        _unit("STN", "mass", "907.18474", "short ton", "短吨"),
        _unit("LTN", "mass", "1016.0469088", "long ton", "长吨"),
        _unit("MTR", "length", "1", "m", "米"),
        _unit("DMT", "length", "0.1", "dm", "分米"),
        _unit("CMT", "length", "0.01", "cm", "厘米"),
        _unit("MMT", "length", "0.001", "mm", "毫米"),
        _unit("4H", "length", "0.000001", "µm", "微米"),
        _unit("KMT", "length", "1000", "km", "千米"),
        _unit("INH", "length", "0.0254", "in", "英寸"),
        _unit("FOT", "length", "0.3048", "ft", "英尺"),
        _unit("YRD", "length", "0.9144", "yd", "码"),
        _unit("SMI", "length", "1609.344", "mi", "英里"),
        _unit("NMI", "length", "1852", "nmi", "海里"),
        _unit("MTK", "area", "1", "m²", "平方米"),
        _unit("CMK", "area", "0.0001", "cm²", "平方厘米"),
        _unit("MMK", "area", "0.000001", "mm²", "平方毫米"),
        _unit("HAR", "area", "10000", "ha", "公顷"),
        _unit("KMK", "area", "1000000", "km²", "平方千米"),
        _unit("FTK", "area", "0.09290304", "ft²", "平方英尺"),
        _unit("LTR", "volume", "1", "L", "升"),
        _unit("MLT", "volume", "0.001", "mL", "毫升"),
        _unit("HLT", "volume", "100", "hL", "百升"),
        _unit("K6", "volume", "1000", "kL", "千升"),
        _unit("MTQ", "volume", "1000", "m³", "立方米"),
        _unit("CMQ", "volume", "0.001", "cm³", "立方厘米"),
        _unit("GLL", "volume", "3.785411784", "US gal", "美制加仑"),
        _unit("BLL", "volume", "158.987294928", "bbl", "桶"),
        _unit("FTQ", "volume", "28.316846592", "ft³", "立方英尺"),
        _unit("H87", "count", "1", "pcs", "件"),
        _unit("C62", "count", "1", "", "个"),
        _unit("PR", "count", "2", "pair", "双"),
        _unit("DZN", "count", "12", "dozen", "打"),
        _unit("CEN", "count", "100", "hundred", "百"),
        _unit("MIL", "count", "1000", "thousand", "千"),
        _unit("SET", "set", "1", "set", "套"),
        _unit("E48", "service", "1", "service", "次"),
        _unit("IE", "person", "1", "person", "人"),
        _unit("ROM", "room", "1", "room", "间"),
        _unit("LO", "lot", "1", "lot", "批"),
        _unit("20", "container of 20 feet", "1", "20′ container", "20尺柜"),
        _unit("21", "container of 40 feet", "1", "40′ container", "40尺柜"),
        _unit("SEC", "time", "1", "s", "秒"),
        _unit("MIN", "time", "60", "min", "分钟"),
        _unit("HUR", "time", "3600", "h", "小时"),
        _unit("DAY", "time", "86400", "d", "天"),
        _unit("WEE", "time", "604800", "wk", "周"),
        _unit("MON", "month", "1", "month", "月"),
        _unit("ANN", "year", "1", "year", "年"),
        _unit("WTT", "power", "1", "W", "瓦"),
        _unit("KWT", "power", "1000", "kW", "千瓦"),
        _unit("MAW", "power", "1000000", "MW", "兆瓦"),
        _unit("KVA", "apparent power", "1", "kVA", "千伏安"),
        _unit("JOU", "energy", "1", "J", "焦耳"),
        _unit("KJO", "energy", "1000", "kJ", "千焦"),
        _unit("3B", "energy", "1000000", "MJ", "兆焦"),
        _unit("KWH", "energy", "3600000", "kWh", "千瓦时"),
        _unit("MWH", "energy", "3600000000", "MWh", "兆瓦时"),
        _unit("PAL", "pressure", "1", "Pa", "帕"),
        _unit("KPA", "pressure", "1000", "kPa", "千帕"),
        _unit("MPA", "pressure", "1000000", "MPa", "兆帕"),
        _unit("BAR", "pressure", "100000", "bar", "巴"),
        _unit("NEW", "force", "1", "N", "牛"),
        _unit("B47", "force", "1000", "kN", "千牛"),
        _unit("NU", "torque", "1", "N·m", "牛米"),
        _unit("VLT", "voltage", "1", "V", "伏"),
        _unit("KVT", "voltage", "1000", "kV", "千伏"),
        _unit("AMP", "current", "1", "A", "安"),
        _unit("AMH", "charge", "1", "Ah", "安时"),
        _unit("HTZ", "frequency", "1", "Hz", "赫兹"),
        _unit("RPM", "rotation", "1", "rpm", "转/分"),
        _unit("KMH", "speed", "1", "km/h", "千米/时"),
        _unit("MTS", "speed", "3.6", "m/s", "米/秒"),
        _unit("MQH", "flow", "1", "m³/h", "立方米/时"),
        _unit("CEL", "temperature", "1", "°C", "摄氏度"),
        _unit("KMQ", "density", "1", "kg/m³", "千克/立方米"),
        _unit("23", "density", "1000", "g/cm³", "克/立方厘米"),
        _unit("F23", "density", "1000", "g/mL", "克/毫升"),
        _unit("GL", "density", "1", "g/L", "克/升"),
        _unit("GM", "mass of an area", "1", "g/m²", "克/平方米"),
        _unit("KL", "mass of a length", "1", "kg/m", "千克/米"),
        _unit("B42", "specific energy", "1", "kJ/kg", "千焦/千克"),
        _unit("E14", "food energy", "4184", "kcal", "千卡"),
        _unit("P1", "fraction", "0.01", "%", "%"),
        _unit("NX", "fraction", "0.001", "‰", "‰"),
        _unit("59", "fraction", "0.000001", "ppm", "ppm"),
        _unit("61", "fraction", "0.000000001", "ppb", "ppb"),
        _unit("NIU", "international units", "1", "IU", "国际单位"),
        _unit("2N", "sound level", "1", "dB", "分贝"),
        _unit("E34", "storage", "1", "GB", "吉字节"),
        _unit("KVR", "reactive power", "1", "kvar", "千乏"),
        _unit("CDL", "light intensity", "1", "cd", "坎德拉"),
        _unit("LUM", "luminous flux", "1", "lm", "流明"),
        _unit("OHM", "resistance", "1", "Ω", "欧姆"),
        _unit("C18", "amount of substance", "0.001", "mmol", "毫摩尔"),
        _unit("C34", "amount of substance", "1", "mol", "摩尔"),
        _unit("DD", "angle", "1", "°", "度"),
    )
}
