//! Welsh.

use fake::locales::{CY_GB, Data};

use super::en_gb::{PHONES, POSTAL_CODES};
use super::{Locale, NameOrder};

/// `cy_GB`.
pub(super) const LOCALE: Locale = Locale {
    name: "cy_GB",
    first_names: CY_GB::NAME_FIRST_NAME,
    last_names: CY_GB::NAME_LAST_NAME,
    name_order: NameOrder::GivenFirst,
    cities: &[
        "Aberaeron",
        "Aberdâr",
        "Aberhonddu",
        "Aberteifi",
        "Abertawe",
        "Aberystwyth",
        "Bangor",
        "Biwmares",
        "Caerdydd",
        "Caerffili",
        "Caerfyrddin",
        "Caergybi",
        "Caernarfon",
        "Casnewydd",
        "Conwy",
        "Dinbych",
        "Dolgellau",
        "Harlech",
        "Hwlffordd",
        "Llandeilo",
        "Llandudno",
        "Llanelli",
        "Llangefni",
        "Llangollen",
        "Machynlleth",
        "Penarth",
        "Pontypridd",
        "Porthmadog",
        "Pwllheli",
        "Rhuthun",
        "Tregaron",
        "Trefynwy",
        "Wrecsam",
    ],
    street_words: &["Clos", "Ffordd", "Heol", "Lôn", "Maes", "Rhodfa", "Stryd"],
    street: "{n} {w} {s}",
    postal_codes: POSTAL_CODES,
    countries: CY_GB::ADDRESS_COUNTRY,
    company_words: &["Cyf.", "CCC", "a'i Feibion", "Grŵp"],
    company: "{s} {w}",
    phones: PHONES,
};
