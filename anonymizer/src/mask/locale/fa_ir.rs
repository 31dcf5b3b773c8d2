//! Persian.

use fake::locales::{Data, FA_IR};

use super::{Locale, NameOrder, UNASSIGNED_PHONES};

/// `fa_IR`.
pub(super) const LOCALE: Locale = Locale {
    name: "fa_IR",
    first_names: FA_IR::NAME_FIRST_NAME,
    last_names: FA_IR::NAME_LAST_NAME,
    name_order: NameOrder::GivenFirst,
    cities: &[
        "آبادان",
        "اراک",
        "اردبیل",
        "ارومیه",
        "اصفهان",
        "اهواز",
        "بجنورد",
        "بندرعباس",
        "بوشهر",
        "بیرجند",
        "تبریز",
        "تهران",
        "خرم‌آباد",
        "رشت",
        "زاهدان",
        "زنجان",
        "ساری",
        "سمنان",
        "سنندج",
        "شهرکرد",
        "شیراز",
        "قزوین",
        "قم",
        "کاشان",
        "کرج",
        "کرمان",
        "کرمانشاه",
        "گرگان",
        "مشهد",
        "همدان",
        "یاسوج",
        "یزد",
    ],
    street_words: FA_IR::ADDRESS_STREET_SUFFIX,
    street: "{w} {s}، پلاک {n}",
    postal_codes: &["#####-#####"],
    countries: FA_IR::ADDRESS_COUNTRY,
    company_words: FA_IR::COMPANY_SUFFIX,
    company: "{s} {w}",
    phones: UNASSIGNED_PHONES,
};
