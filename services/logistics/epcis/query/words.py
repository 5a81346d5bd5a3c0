"""The parameters about words, identifiers, lists of typed values and error declarations, and how each is read."""

from __future__ import annotations

from collections.abc import Callable

from services.logistics.epcis.fields import ACTIONS, FIELDS
from services.logistics.epcis.identifiers import canonical, is_uri
from services.logistics.epcis.preparing import write_key
from services.logistics.epcis.query.conditions import (
    Compares,
    Condition,
    Declared,
    Flag,
    Holds,
    Names,
    OneOf,
    Operand,
    Pairs,
    Text,
    Within,
)
from services.logistics.epcis.query.given import Asked, Given, read_flag, read_texts
from services.logistics.epcis.query.names import Prefixes, expand
from services.logistics.epcis.query.patterns import NotAPattern, Wanted, read_wanted
from services.logistics.epcis.query.refusing import refuse
from services.logistics.epcis.vocabulary import (
    BIZ_STEP,
    DISPOSITION,
    ERROR_REASON,
    MEASUREMENT,
    SOURCE_DEST,
    TRANSACTION,
    Vocabulary,
    read_word,
)

Parse = Callable[[str, Given, Prefixes], Condition | None]
_EPCIS = ("epcis:", "https://ref.gs1.org/epcis/", "urn:epcglobal:epcis:")
_METADATA, _REPORT = "@.sensorElementList.sensorMetadata", "@.sensorElementList.sensorReport"
_PAIRS = {
    "bizTransaction": ("bizTransactionList", TRANSACTION),
    "source": ("sourceList", SOURCE_DEST),
    "destination": ("destinationList", SOURCE_DEST),
}


def read_words(name: str, given: Given, prefixes: Prefixes, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Words of a list of the CBV in any of their forms, made bare; others must be URIs. Raises QueryParameterException."""
    return tuple(_read_one_word(name, text, prefixes, vocabulary) for text in read_texts(name, given))


def _read_one_word(name: str, text: str, prefixes: Prefixes, vocabulary: Vocabulary) -> str:
    word = read_word(vocabulary, expand(text, prefixes))
    if not vocabulary.has(word) and not is_uri(word):
        refuse(name, f"has {text[:100]!r}, which is neither a {vocabulary.name} of the CBV nor a URI")
    return word


def read_uris(name: str, given: Given, prefixes: Prefixes) -> tuple[str, ...]:
    """Identifiers, canonical. Raises QueryParameterException."""
    return tuple(_read_uri(name, expand(text, prefixes)) for text in read_texts(name, given))


def _read_uri(name: str, text: str) -> str:
    if not is_uri(text):
        refuse(name, f"has {text[:100]!r}, which is no URI")
    return canonical(text)


def _parse_type(name: str, given: Given, prefixes: Prefixes) -> Condition | None:
    types = []
    for text in read_texts(name, given):
        kind = next((text.removeprefix(start) for start in _EPCIS if text.startswith(start)), text)
        if kind not in FIELDS and not is_uri(expand(text, prefixes)):
            refuse(name, f"has {text[:100]!r}, which is no type of event")
        types.append(kind if kind in FIELDS else expand(text, prefixes))
    return OneOf("type", tuple(types)) if types else None


def _parse_action(name: str, given: Given, _prefixes: Prefixes) -> Condition | None:
    actions = read_texts(name, given)
    if wrong := [one for one in actions if one not in ACTIONS]:
        refuse(name, f"has {wrong[0][:100]!r}, which is none of {', '.join(ACTIONS)}")
    return OneOf("action", actions) if actions else None


def _word_in(column: str, vocabulary: Vocabulary) -> Parse:
    def parse(name: str, given: Given, prefixes: Prefixes) -> Condition | None:
        found = read_words(name, given, prefixes, vocabulary)
        return OneOf(column, found) if found else None  # type: ignore[arg-type]

    return parse


def _uri_in(column: str, condition: type[OneOf] | type[Within]) -> Parse:
    def parse(name: str, given: Given, prefixes: Prefixes) -> Condition | None:
        found = read_uris(name, given, prefixes)
        return condition(column, found) if found else None  # type: ignore[arg-type]

    return parse


def _parse_event_id(name: str, given: Given, prefixes: Prefixes) -> Condition | None:
    ids = tuple(expand(text, prefixes) for text in read_texts(name, given))
    return OneOf("event_id", ids) if ids else None


def _parse_transformation(name: str, given: Given, prefixes: Prefixes) -> Condition | None:
    keys = tuple(write_key(canonical(expand(text, prefixes))) for text in read_texts(name, given))
    return Names(("transformationID",), (Wanted(keys),)) if keys else None


def _match(*kinds: str) -> Parse:
    def parse(name: str, given: Given, prefixes: Prefixes) -> Condition | None:
        wanted = tuple(_read_pattern(name, expand(text, prefixes)) for text in read_texts(name, given))
        return Names(kinds, wanted) if wanted else None

    return parse


def _read_pattern(name: str, text: str) -> Wanted:
    try:
        return read_wanted(text)
    except NotAPattern as error:
        return refuse(name, f"has {text[:100]!r}, which {error}")


def parse_pairs(name: str, given: Given, prefixes: Prefixes) -> Condition | None:
    """``EQ_bizTransaction_type``, ``EQ_source_type`` and ``EQ_destination_type``."""
    _, field, kind = name.split("_", 2)
    place, vocabulary = _PAIRS[field]
    word = _read_one_word(name, kind, prefixes, vocabulary)
    values = tuple(canonical(expand(text, prefixes)) for text in read_texts(name, given))
    return Holds((f"@.{place}",), Pairs(word, field, values)) if values else None


def _parse_declared(name: str, given: Given, _prefixes: Prefixes) -> Condition | None:
    return Declared() if read_flag(name, given) else None


def _parse_corrective(name: str, given: Given, prefixes: Prefixes) -> Condition | None:
    ids = tuple(expand(text, prefixes) for text in read_texts(name, given))
    return Declared(ids) if ids else None


def _parse_sensed(name: str, given: Given, _prefixes: Prefixes) -> Condition | None:
    return Holds(("@.sensorElementList",), None) if read_flag(name, given) else None


def _lasting(part: str) -> Parse:
    def parse(name: str, given: Given, prefixes: Prefixes) -> Condition | None:
        found = read_words(name, given, prefixes, DISPOSITION)
        return _equals((f"@.persistentDisposition.{part}",), [Text((word,)) for word in found])

    return parse


def _equals(places: tuple[str, ...], operands: list[Operand]) -> Condition | None:
    return Holds(places, Compares("EQ", tuple(operands))) if operands else None


def _sensed(*places: str) -> Parse:
    def parse(name: str, given: Given, prefixes: Prefixes) -> Condition | None:
        texts = read_texts(name, given)
        return _equals(places, [Text(_spell(text, expand(text, prefixes))) for text in texts])

    return parse


def _spell(*spellings: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*spellings, *map(canonical, spellings))))


def _parse_measured(name: str, given: Given, prefixes: Prefixes) -> Condition | None:
    found = read_words(name, given, prefixes, MEASUREMENT)
    return _equals((f"{_REPORT}.type",), [Text((word,)) for word in found])


def _parse_hex(name: str, given: Given, _prefixes: Prefixes) -> Condition | None:
    texts = read_texts(name, given)
    return _equals((f"{_REPORT}.hexBinaryValue",), [Text((text, text.upper(), text.lower())) for text in texts])


def _parse_text(name: str, given: Given, _prefixes: Prefixes) -> Condition | None:
    return _equals((f"{_REPORT}.stringValue",), [Text((text,)) for text in read_texts(name, given)])


def _parse_boolean(name: str, given: Given, _prefixes: Prefixes) -> Condition | None:
    if given in (None, Asked("")):
        return None
    return Holds((f"{_REPORT}.booleanValue",), Compares("EQ", (Flag(read_flag(name, given)),)))


FIXED: dict[str, Parse] = {
    "eventType": _parse_type,
    "EQ_action": _parse_action,
    "EQ_bizStep": _word_in("biz_step", BIZ_STEP),
    "EQ_disposition": _word_in("disposition", DISPOSITION),
    "EQ_persistentDisposition_set": _lasting("set"),
    "EQ_persistentDisposition_unset": _lasting("unset"),
    "EQ_readPoint": _uri_in("read_point", OneOf),
    "WD_readPoint": _uri_in("read_point", Within),
    "EQ_bizLocation": _uri_in("biz_location", OneOf),
    "WD_bizLocation": _uri_in("biz_location", Within),
    "EQ_transformationID": _parse_transformation,
    "EQ_eventID": _parse_event_id,
    "MATCH_epc": _match("epc", "childEPC"),
    "MATCH_parentID": _match("parentID"),
    "MATCH_inputEPC": _match("inputEPC"),
    "MATCH_outputEPC": _match("outputEPC"),
    "MATCH_anyEPC": _match("epc", "childEPC", "parentID", "inputEPC", "outputEPC"),
    "MATCH_epcClass": _match("epcClass", "childEPCClass"),
    "MATCH_inputEPCClass": _match("inputEPCClass"),
    "MATCH_outputEPCClass": _match("outputEPCClass"),
    "MATCH_anyEPCClass": _match("epcClass", "childEPCClass", "inputEPCClass", "outputEPCClass"),
    "EXISTS_errorDeclaration": _parse_declared,
    "EQ_errorReason": _word_in("error_reason", ERROR_REASON),
    "EQ_correctiveEventID": _parse_corrective,
    "EXISTS_sensorElementList": _parse_sensed,
    "EXISTS_sensorElement": _parse_sensed,
    "EQ_type": _parse_measured,
    "EQ_deviceID": _sensed(f"{_METADATA}.deviceID", f"{_REPORT}.deviceID"),
    "EQ_dataProcessingMethod": _sensed(f"{_METADATA}.dataProcessingMethod", f"{_REPORT}.dataProcessingMethod"),
    "EQ_bizRules": _sensed(f"{_METADATA}.bizRules", f"{_REPORT}.bizRules"),
    "EQ_microorganism": _sensed(f"{_REPORT}.microorganism"),
    "EQ_chemicalSubstance": _sensed(f"{_REPORT}.chemicalSubstance"),
    "EQ_stringValue": _parse_text,
    "EQ_booleanValue": _parse_boolean,
    "EQ_hexBinaryValue": _parse_hex,
    "EQ_uriValue": _sensed(f"{_REPORT}.uriValue"),
}
