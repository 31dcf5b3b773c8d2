//! Fakes for one key, written down: a change of any of them must raise [`super::FUNCTION_SET`], for a database that was
//! masked before would no longer agree with one that is masked now.

use std::fmt::Write as _;

use super::FUNCTION_SET;
use super::fixture::{Case, text};
use super::locale::LOCALES;
use crate::catalog::Kind;
use crate::value::Value;

#[test]
fn functions_on_text() {
    let mut shown = format!("function set {FUNCTION_SET}\n");
    let cases = [
        Case::new("email", text()),
        Case::new("email", text()).with("short", true),
        Case::new("username", text()),
        Case::new("first_name", text()),
        Case::new("last_name", text()),
        Case::new("full_name", text()),
        Case::new("phone", text()),
        Case::new("phone", text()).with("unique", true),
        Case::new("street_address", text()),
        Case::new("city", text()),
        Case::new("postal_code", text()),
        Case::new("postal_code", text()).with("keep_shape", true),
        Case::new("country", text()),
        Case::new("country", text()).with("code", "alpha2"),
        Case::new("company", text()),
        Case::new("uuid", text()),
        Case::new("ip", text()),
        Case::new("ip", text()).with("version", 6),
        Case::new("mac", text()),
        Case::new("url", text()),
        Case::new("iban", text()),
        Case::new("iban", text()).with("country", "ES"),
        Case::new("iban", text()).with("country", "IT"),
        Case::new("hash", text()),
        Case::new("partial", text()),
        Case::new("redact", text()),
        Case::new("nullify", text()),
        Case::new("password_hash", text()).with("cost", 4),
    ];
    for case in cases {
        writeln!(shown, "{}: {}", case.function.name, case.mask_text("Ada.Lovelace@example.edu"))
            .unwrap();
    }
    insta::assert_snapshot!(shown, @r"
    function set 1
    email: ericka.lemke.erbx6yzrm3y9w@example.net
    email: erbx6yzrm3y9w@example.net
    username: ericka.lemke.erbx6yzrm3y9w
    first_name: Ericka
    last_name: Lemke
    full_name: Ericka Lemke
    phone: +16025550150
    phone: +99963703069110629682481
    street_address: 187 O'Kon Terrace
    city: Eugene
    postal_code: 84620
    postal_code: Ozg.Kqcuqrsm@fsnsmae.cgg
    country: Burkina Faso
    country: BV
    company: Hills Inc
    uuid: 80a543ea-4f73-44e2-acfa-6c82c66c8355
    ip: 198.19.155.88
    ip: 2001:db8:e53e:f8a2:c263:9b58:7349:6249
    mac: 02:0b:81:33:7a:e5
    url: https://amber.example.com/cbqyzt3yhhjp5
    iban: FR530000038666R5N42JBBDV302
    iban: ES2900003866676368632699
    iban: IT36Y0000038666R5N42JBBDV3P
    hash: 18326e128bca6eaad31e99bf63886448
    partial: A***********************
    redact: [redacted]
    nullify: NULL
    password_hash: $2b$04$kP0WTSGkln.pyScwFVRsteEYFSlgkmSwQqKSAMahyRdnwxW64Rvhy
    ");
}

#[test]
fn functions_on_other_types() {
    let mut shown = String::new();
    let uuid = Value::Uuid([7; 16]);
    let day = || Value::Date(11_016);
    let moment = || Value::Timestamp(951_825_600_000_001);
    let inet = |text: &str, prefix| Value::Inet(text.parse().unwrap(), prefix);
    let cases = [
        (Case::new("uuid", Kind::Uuid), uuid.clone()),
        (Case::new("hash", Kind::Uuid), uuid),
        (Case::new("hash", Kind::Int(16)), Value::Int(1)),
        (Case::new("hash", Kind::Int(32)), Value::Int(1)),
        (Case::new("hash", Kind::Int(32)), Value::Int(-70_000)),
        (Case::new("hash", Kind::Int(64)), Value::Int(1 << 40)),
        (Case::new("hash", Kind::Int(64)), Value::Int(i64::MAX)),
        (Case::new("hash", Kind::Bytes), Value::Bytes(vec![1, 2, 3].into())),
        (Case::new("ip", Kind::Inet), inet("192.0.2.7", 32)),
        (Case::new("ip", Kind::Inet), inet("192.0.2.0", 24)),
        (Case::new("ip", Kind::Inet), inet("2a00::7", 64)),
        (Case::new("mac", Kind::Mac(6)), Value::Mac([1; 6])),
        (Case::new("mac", Kind::Mac(8)), Value::Mac8([1; 8])),
        (Case::new("date_shift", Kind::Date), day()),
        (Case::new("date_shift", Kind::Timestamp), moment()),
        (Case::new("date_shift", text()), Value::Text("2000-02-29T12:00:00Z".into())),
        (Case::new("noise", Kind::Int(32)), Value::Int(1000)),
        (Case::new("noise", Kind::Float), Value::Float(1000.0)),
        (Case::new("noise", Kind::Decimal(None)), Value::Decimal("1000.00".into())),
        (Case::new("noise", Kind::Int(32)).with("amount", 5.0), Value::Int(0)),
        (Case::new("round", Kind::Int(32)).with("to", "50"), Value::Int(-1325)),
        (Case::new("round", Kind::Decimal(None)).with("to", "0.5"), Value::Decimal("9.75".into())),
        (Case::new("round", Kind::Date).with("to", "quarter"), day()),
        (Case::new("round", Kind::Date).with("to", "week"), day()),
        (Case::new("round", Kind::Timestamp).with("to", "hour"), moment()),
        (
            Case::new("round", text()).with("to", "month"),
            Value::Text("2000-02-29 12:34:56.789+02".into()),
        ),
    ];
    for (case, value) in cases {
        writeln!(shown, "{} {:?}: {}", case.function.name, value, case.mask(value.clone()))
            .unwrap();
    }
    insta::assert_snapshot!(shown, @r"
    uuid uuid: 8fb12298-cdae-4a0f-bf5c-71c9b662eff7
    hash uuid: dc78abf3-857d-4324-bd27-42b6ae383813
    hash int: 13341
    hash int: 13341
    hash int: -66973071
    hash int: 2173028564469322
    hash int: 6482999530853955940
    hash bytes(3): \x564c34de537c38700a15dc52ab47387c
    ip inet: 198.18.167.191
    ip inet: 198.19.29.0/24
    ip inet: 2001:db8:9e20:4485:86e4:c2c5:751a:868a/64
    mac mac: 02:70:0c:62:3d:29
    mac mac8: 02:66:31:ab:fe:e6:7a:a4
    date_shift date: 2000-02-24
    date_shift timestamp: 2000-02-24 12:00:00.000001
    date_shift text(20 bytes): 2000-02-24T12:00:00Z
    noise int: 1054
    noise float: 1053.6480382084846
    noise decimal(7 characters): 1053.65
    noise int: -3
    round int: -1350
    round decimal(4 characters): 10.00
    round date: 2000-01-01
    round date: 2000-02-28
    round timestamp: 2000-02-29 12:00:00
    round text(26 bytes): 2000-02-01 00:00:00.000+02
    ");
}

#[test]
fn functions_by_locale() {
    let mut shown = String::new();
    for locale in LOCALES {
        let functions = [
            "full_name",
            "phone",
            "street_address",
            "postal_code",
            "city",
            "country",
            "company",
            "email",
        ];
        let fakes =
            functions.map(|name| Case::new(name, text()).locale(locale.name).mask_text("7"));
        writeln!(shown, "{}: {}", locale.name, fakes.join(" | ")).unwrap();
    }
    insta::assert_snapshot!(shown, @r"
    en_US: Lilla Monahan | +15155550141 | 58 Flatley Street | 07622 | Mobile | Italy | Berge LLC | lilla.monahan.yyckc41rszm1y@example.com
    en_GB: Lilla Monahan | +441414960410 | 58 Flatley Square | UZ4 3TU | Northampton | Italy | Berge Group | lilla.monahan.yyckc41rszm1y@example.com
    fr_FR: Lya Lenoir | +33353014105 | 58 rue Coste | 08704 | Metz | République Islamique d'Iran | Beaufils Frères | lya.lenoir.yyckc41rszm1y@example.com
    de_DE: Klaus Beck | +494066969410 | Richterstraße 58 | 08704 | Kassel | Kroatien | Lerch Stiftung | klaus.beck.yyckc41rszm1y@example.com
    it_IT: Leonardo Marchetti | +999410580229 | Strada Dalla 58 | 07622 | Novara | Isole Heard e McDonald | Bruno S.n.c. | leonardo.marchetti.yyckc41rszm1y@example.com
    nl_NL: Michiel Postma | +999410580229 | van der Meersteeg 58 | 8704 RV | Hilversum | Italië | Janssen stichting | michiel.postma.yyckc41rszm1y@example.com
    pt_BR: Mari Pena | +999410580229 | Rua Dominato, 58 | 07622-411 | Manaus | Itália | Balestero Ltda. | mari.pena.yyckc41rszm1y@example.com
    pt_PT: Teresa Rocha | +999410580229 | Praça Figueiredo, 58 | 8704-194 | Leiria | Itália | Barros Sociedade Unipessoal | teresa.rocha.yyckc41rszm1y@example.com
    tr_TR: Kemal Kılıç | +999410580229 | Şahin Sokağı No: 58 | 07622 | Kayseri | Güney Afrika | Kaya Ltd. Şti. | kemal.kilic.yyckc41rszm1y@example.com
    cy_GB: Jac Nanney | +441414960410 | 58 Rhodfa Foulkes | UZ4 3TU | Hwlffordd | Japan | Baines a'i Feibion | jac.nanney.yyckc41rszm1y@example.com
    ar_SA: ربى الدباغ | +999410580229 | ممر آل صفوان 58 | 87041 | جدة | المغرب | شركة آل بن ظافر للتجارة | rb.ldbg.yyckc41rszm1y@example.com
    fa_IR: ظفر ظریف | +999410580229 | کوچه چکاوکی، پلاک 58 | 07622-41160 | سنندج | جزایر هرد و مک‌دونالد | ارسباران با مسئولیت محدود | zfr.zryf.yyckc41rszm1y@example.com
    ja_JP: 原 百花 | +999410580229 | 橋本台58番地 | 870-4194 | 堺市 | スウェーデン | 渡辺有限会社 | baihua.yuan.yyckc41rszm1y@example.com
    zh_CN: 廖惜茵 | +999410580229 | 唐巷58号 | 870419 | 南京 | 科摩罗 | 黄厂 | xiyin.liao.yyckc41rszm1y@example.com
    zh_TW: 白詩婷 | +999410580229 | 禹巷58號 | 870 | 斗六市 | 日本 | 華股份有限公司 | shiting.bai.yyckc41rszm1y@example.com
    ");
}
