"""The words of the Core Business Vocabulary (CBV 2.0), in each of the forms in which they are written.

A word has four forms: bare (``shipping``), URN (``urn:epcglobal:cbv:bizstep:shipping``), web URI
(``https://ref.gs1.org/cbv/BizStep-shipping``) and CURIE (``cbv:BizStep-shipping``). Inside, words are bare; a word that
is not of the standard is a URI of somebody else's and stays as it was written.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

CBV, VOC = "https://ref.gs1.org/cbv/", "https://gs1.org/voc/"
_LONGEST = 200
PREFIXES = {"cbv": CBV, "gs1": VOC}


class Vocabulary(msgspec.Struct, frozen=True):
    """One list of words; ``urn`` is None where the standard gives no URN, ``name`` is what messages call it.

    A list that is not ``closed`` takes other bare words too: GS1's web vocabulary has more measurement types than CBV.
    """

    name: str
    web: str
    urn: str | None
    words: frozenset[str]
    closed: bool = True

    def has(self, word: str) -> bool:
        """Whether ``word``, bare, is one of the list's."""
        return word in self.words or (not self.closed and word.isidentifier())


def _list(name: str, web: str, urn: str | None, words: str, *, closed: bool = True) -> Vocabulary:
    return Vocabulary(name, web, f"urn:epcglobal:cbv:{urn}:" if urn else None, frozenset(words.split()), closed)


BIZ_STEP = _list(
    "bizStep",
    f"{CBV}BizStep-",
    "bizstep",
    "accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting "
    "decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting "
    "installing killing loading other packing picking receiving removing repackaging repairing replacing reserving "
    "retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting "
    "unloading unpacking void_shipping",
)
DISPOSITION = _list(
    "disposition",
    f"{CBV}Disp-",
    "disp",
    "active available completeness_inferred completeness_verified conformant container_closed container_open damaged "
    "destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance "
    "mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed "
    "recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown",
)
TRANSACTION = _list(
    "business transaction type",
    f"{CBV}BTT-",
    "btt",
    "bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt",
)
SOURCE_DEST = _list("source or destination type", f"{CBV}SDT-", "sdt", "location owning_party possessing_party")
ERROR_REASON = _list("error reason", f"{CBV}ER-", "er", "did_not_occur incorrect_data")
COMPONENT = _list(
    "component",
    f"{CBV}Comp-",
    "comp",
    "altitude axial_distance azimuth easting elevation_angle height latitude longitude northing polar_angle "
    "spherical_radius x y z",
)
EXCEPTION = _list("sensor exception", VOC, None, "ALARM_CONDITION ERROR_CONDITION")
MEASUREMENT = _list(
    "measurement type",
    VOC,
    None,
    "AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance "
    "AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance "
    "Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity "
    "ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency "
    "Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux "
    "LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate "
    "MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux "
    "RadiantIntensity Radioactivity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed "
    "SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction "
    "VolumetricFlux Wavenumber",
    closed=False,
)


def read_word(vocabulary: Vocabulary, text: str) -> str:
    """The bare word that ``text`` means in any of its forms; a text that is none of the list's comes back as it is."""
    return _read_word(vocabulary, text) if len(text) <= _LONGEST else text


@lru_cache(8_192)
def _read_word(vocabulary: Vocabulary, text: str) -> str:
    for start in _starts(vocabulary):
        if text.startswith(start) and vocabulary.has(word := text[len(start) :]):
            return word
    return text


def is_own_form(vocabulary: Vocabulary, text: str) -> bool:
    """Whether ``text`` claims to be a word of the standard's: bare, or under the standard's own prefix."""
    return ":" not in text or text.startswith(_starts(vocabulary))


def write_uri(vocabulary: Vocabulary, word: str) -> str:
    """The web URI of a word; what is not a word of the list stays."""
    return vocabulary.web + word if vocabulary.has(word) else word


def write_urn(vocabulary: Vocabulary, word: str) -> str:
    """The URN of a word, or its CURIE where the list has no URNs; what is not a word of the list stays."""
    if not vocabulary.has(word):
        return word
    return (
        f"{vocabulary.urn}{word}" if vocabulary.urn and vocabulary is not COMPONENT else write_curie(vocabulary, word)
    )


def write_curie(vocabulary: Vocabulary, word: str) -> str:
    """The CURIE of a word (``cbv:BTT-po``, ``gs1:Temperature``); what is not a word of the list stays."""
    if not vocabulary.has(word):
        return word
    return ("gs1:" if vocabulary.web == VOC else "cbv:") + (vocabulary.web + word).rpartition("/")[2]


@lru_cache(64)
def _starts(vocabulary: Vocabulary) -> tuple[str, ...]:
    web = vocabulary.web
    if web == VOC:
        return VOC, "gs1:", "https://ref.gs1.org/voc/"
    return web, "cbv:" + web.removeprefix(CBV), *([vocabulary.urn] if vocabulary.urn else [])
