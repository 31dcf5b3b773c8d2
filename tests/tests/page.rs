//! The report as a page: what a browser makes of it, that it asks for nothing, and that no name can break out of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic, in its helpers too")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use contract::exit_codes::{OK, USAGE, VERIFY_FAILED};
use contract::report::{Anonymity, Leak, ScrubCheck, ScrubStatus, Suspect, Verdict};
use contract::statement::Statement;
use e2e::command::{Finished, anonymizer, finish, skipped};
use rusqlite::Connection;
use tempfile::TempDir;

const SCRIPT: &str = "<script>alert(1)</script>";
const QUOTED: &str = "a\"b'c onload=alert(2) <i>&amp;";

/// A report directory of a masked database whose names are an attack.
fn report() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let database = Connection::open(path("x.db")).unwrap();
    let schema = "CREATE TABLE \"<script>alert(1)</script>\"
            (id INTEGER PRIMARY KEY, \"a\"\"b'c onload=alert(2) <i>&amp;\" INTEGER, born DATE);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        INSERT INTO \"<script>alert(1)</script>\"
            SELECT i, i * 3, date('1960-01-01', (i * 40) || ' days') FROM n;";
    database.execute_batch(schema).unwrap();
    drop(database);
    let rules = r#"version: 1
tables:
  '<script>alert(1)</script>':
    columns:
      id: keep
      '"a""b''c onload=alert(2) <i>&amp;"': { function: noise, percent: 10 }
      born: { function: date_shift, max_days: 30 }
"#;
    fs::write(path("rules.yaml"), rules).unwrap();
    let mut command = anonymizer().unwrap();
    command.args(["run", "--database-url", "sqlite:x.db", "--rules", "rules.yaml"]);
    let finished = finish(command.args(["--report", "."]).current_dir(directory.path())).unwrap();
    assert_eq!(finished.code, Some(OK.into()), "{finished:#?}");
    directory
}

/// Everything the page can show, hostile wherever a name or a reason can be.
fn fill(directory: &Path) {
    let path = directory.join("report.json");
    let mut statement = Statement::read(&fs::read(&path).unwrap()).unwrap();
    let report = &mut statement.predicate;
    let long = format!("{SCRIPT}.{QUOTED}.{}", "unbreakable".repeat(30));
    report.verdict = Verdict::Failed;
    report.gate.passed = false;
    report.gate.originals = 1_234_567;
    report.gate.false_positive_rate = 1e-6;
    let leak = |reason: Option<&str>| Leak {
        place: long.clone(),
        kind: "full_name".into(),
        count: 3,
        reason: reason.map(str::to_owned),
    };
    report.gate.leaks = vec![leak(None), leak(Some(SCRIPT))];
    report.gate.suspects = vec![Suspect {
        column: long.clone(),
        kind: "phone".into(),
        sampled: 1_000,
        matched: 987,
        reason: None,
    }];
    report.gate.anonymity = vec![Anonymity {
        table: long.clone(),
        columns: vec![long.clone(), "born".into()],
        rows: 500,
        k: 1,
        alone: 7,
    }];
    let every = [
        ScrubStatus::Done,
        ScrubStatus::NotNeeded,
        ScrubStatus::Residual,
        ScrubStatus::Reported,
        ScrubStatus::Accepted,
        ScrubStatus::Failed,
    ];
    let check = |status: ScrubStatus| ScrubCheck {
        id: "postgres.cron-jobs".into(),
        title: format!("jobs that are {status:?}"),
        status,
        detail: long.clone(),
        undo: vec![format!("SELECT '{long}'")],
        reason: Some(QUOTED.into()),
    };
    report.checks = every.map(check).into();
    report.notes = vec![long];
    fs::write(path, statement.to_bytes()).unwrap();
}

fn render(directory: &Path) -> Finished {
    let mut command = anonymizer().unwrap();
    finish(command.arg("report").arg(directory)).unwrap()
}

fn page(directory: &Path) -> String {
    fs::read_to_string(directory.join("report.html")).unwrap()
}

/// What would make a browser ask for something, run something, or leave the page.
fn assert_asks_for_nothing(page: &str) {
    for word in
        ["<script", " src=", " href=", "url(", "@import", "<link", "<iframe", "<img", "<form"]
    {
        assert!(!page.to_lowercase().contains(word), "{word} is on the page");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn a_run_leaves_a_page_and_the_command_makes_the_same() {
    let directory = report();
    let first = page(directory.path());
    assert!(first.contains("Passed: may leave"));
    assert!(first.contains("&lt;script&gt;alert(1)"), "the table is named");
    assert_asks_for_nothing(&first);
    fs::remove_file(directory.path().join("report.html")).unwrap();
    let finished = render(directory.path());
    assert_eq!(finished.code, Some(OK.into()), "{finished:#?}");
    assert!(finished.stdout.ends_with("report.html\n"), "{finished:#?}");
    assert_eq!(page(directory.path()), first);
}

#[test]
fn a_page_says_where_text_was_masked_and_nothing_looked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let rules = "version: 1\ntables: { t: { columns: { id: keep, note: redact } } }\n";
    fs::write(path("rules.yaml"), rules).unwrap();
    for (note, said) in [
        ("x", "No original was looked for: 1 column of text was masked, and neither the rules"),
        ("ada@shop.fr", "None of 1 original was found"),
    ] {
        let name = format!("{}.db", note.len());
        let schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)";
        let database = Connection::open(path(&name)).unwrap();
        database.execute_batch(schema).unwrap();
        database.execute("INSERT INTO t VALUES (1, ?1)", [note]).unwrap();
        drop(database);
        let mut command = anonymizer().unwrap();
        let url = format!("sqlite:{name}");
        command.args(["run", "--database-url", &url, "--rules", "rules.yaml"]);
        let finished =
            finish(command.args(["--report", "."]).current_dir(directory.path())).unwrap();
        assert_eq!(finished.code, Some(OK.into()), "{finished:#?}");
        let page = page(directory.path());
        assert!(page.contains(said), "{note}: {page}");
    }
}

#[test]
fn everything_that_was_found_is_shown_and_no_name_breaks_out() {
    let directory = report();
    fill(directory.path());
    assert_eq!(render(directory.path()).code, Some(OK.into()));
    let page = page(directory.path());
    assert_asks_for_nothing(&page);
    assert!(!page.contains("<i>") && !page.contains("a\"b'c"), "a quote is not escaped");
    for words in [
        "Failed: may not leave",
        "Originals are still there, in 1 place: &lt;script",
        "1 column is kept as it is and looks like an identifier.",
        "1 scrub check failed.",
        "1 token in 1,000,000",
        "987 of 1,000 sampled values look like: phone",
        "Allowed by the rules",
        "Residual risk",
        "jobs that are Reported",
        "To enable again:",
        "How alone a row still is",
        "in-toto",
    ] {
        assert!(page.contains(words), "`{words}` is not shown");
    }
    assert_eq!(page.matches("class=\"chart\"").count(), 2);
}

#[test]
fn a_signed_report_names_its_key_and_a_foreign_one_is_refused() {
    let directory = report();
    let key = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
";
    let path = directory.path().join("report.json");
    let key = contract::key::SigningKey::from_pem(key.as_bytes()).unwrap();
    let signed = contract::statement::sign(&fs::read(&path).unwrap(), &key);
    fs::write(directory.path().join("statement.dsse.json"), signed).unwrap();
    assert_eq!(render(directory.path()).code, Some(OK.into()));
    assert!(page(directory.path()).contains(key.public().id()));
    fill(directory.path());
    assert_eq!(render(directory.path()).code, Some(VERIFY_FAILED.into()));
}

#[test]
fn what_is_no_report_has_no_page() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(render(directory.path()).code, Some(USAGE.into()));
    for text in
        ["", "{}", "{\"_type\": \"https://in-toto.io/Statement/v1\", \"predicateType\": \"x\"}"]
    {
        fs::write(directory.path().join("report.json"), text).unwrap();
        assert_eq!(render(directory.path()).code, Some(USAGE.into()), "{text}");
    }
    assert!(!directory.path().join("report.html").exists());
}

/// Opens every part of the page in a frame as wide as a phone, and writes down what it has become.
const LOOK: &str = r#"<!doctype html><iframe src="/report.html" width="WIDTH" height="800" style="border:0"></iframe>
<script>
window.onload = () => {
  const page = document.querySelector('iframe').contentDocument;
  for (const part of page.querySelectorAll('details')) part.open = true;
  const style = (query) => page.defaultView.getComputedStyle(page.querySelector(query));
  const wide = [...page.querySelectorAll('body *')]
    .filter((e) => e.getBoundingClientRect().right > page.documentElement.clientWidth + 1 && !e.closest('svg') && !e.closest('thead'));
  document.body.textContent = JSON.stringify({
    width: page.documentElement.scrollWidth,
    room: page.documentElement.clientWidth,
    wide: wide.map((e) => e.tagName + '.' + e.className),
    verdict: page.querySelector('h1').textContent,
    styled: style('.verdict').backgroundColor,
    scripts: page.querySelectorAll('script, iframe, img, link').length,
    tables: [...page.querySelectorAll('.tables .name')].map((e) => e.textContent),
    columns: [...page.querySelectorAll('.columns tbody th bdi')].map((e) => e.textContent),
    bars: [...page.querySelectorAll('.chart rect.after')].filter((e) => e.getBoundingClientRect().height > 1).length,
    dark: page.defaultView.matchMedia('(prefers-color-scheme: dark)').matches,
  });
};
</script>"#;

/// Serves the page and [`LOOK`] on this machine, and writes down what was asked for.
fn serve(page: String, width: u32) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&asked);
    let page: Arc<str> = page.into();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (page, log) = (Arc::clone(&page), Arc::clone(&log));
            std::thread::spawn(move || answer(stream, &page, width, &log));
        }
    });
    (port, asked)
}

fn answer(
    mut stream: TcpStream,
    page: &str,
    width: u32,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut request = String::new();
    let mut reader = BufReader::new(stream.try_clone()?);
    // A browser opens connections that it may never use.
    if reader.read_line(&mut request)? == 0 {
        return Ok(());
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let (status, body) = match path.as_str() {
        "/report.html" => ("200 OK", page.to_owned()),
        "/look.html" => ("200 OK", LOOK.replace("WIDTH", &width.to_string())),
        _ => ("404 Not Found", String::new()),
    };
    log.lock().unwrap().push(path);
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/html\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut all = std::env::split_paths(&path).flat_map(|at| names.map(|name| at.join(name)));
    all.find(|file| file.is_file())
}

/// What the page has become in a window of that width, what the browser said, and what it asked for.
fn look(browser: &Path, page: String, width: u32) -> (serde_json::Value, String, Vec<String>) {
    let (port, asked) = serve(page, width);
    let profile = tempfile::tempdir().unwrap();
    let mut child = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--no-first-run"])
        .args(["--disable-background-networking", "--enable-logging=stderr"])
        .args(["--virtual-time-budget=5000", "--window-size=1400,1000"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("http://127.0.0.1:{port}/look.html"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut errors = child.stderr.take().unwrap();
    let said = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        errors.read_to_end(&mut bytes).map(|_| String::from_utf8_lossy(&bytes).into_owned())
    });
    let printed = std::thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).map(|_| text)
    });
    let deadline = Instant::now() + Duration::from_secs(90);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("the browser did not end");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let dom = printed.join().unwrap().unwrap();
    let said = said.join().unwrap().unwrap();
    let found = dom.find('{').zip(dom.rfind('}'));
    let (start, end) = found.unwrap_or_else(|| panic!("nothing was looked at: {dom}\n{said}"));
    let json = dom[start..=end].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let asked = asked.lock().unwrap().clone();
    (serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}")), said, asked)
}

#[test]
fn a_browser_shows_it_on_a_phone_and_asks_for_nothing() {
    let Some(browser) = browser() else {
        skipped("a_browser_shows_it_on_a_phone_and_asks_for_nothing", "there is no chromium");
        return;
    };
    let directory = report();
    fill(directory.path());
    assert_eq!(render(directory.path()).code, Some(OK.into()));
    for width in [390, 1280] {
        let (seen, said, asked) = look(&browser, page(directory.path()), width);
        assert!(seen["room"].as_u64().unwrap() > u64::from(width) - 30, "{seen}");
        assert_eq!(seen["width"], seen["room"], "the page is wider than the window: {seen}");
        assert_eq!(seen["wide"], serde_json::json!([]), "something sticks out");
        assert_eq!(seen["verdict"], "Failed: may not leave");
        assert_eq!(seen["styled"], "rgb(163, 22, 27)", "the policy lets the style in");
        assert_eq!(seen["scripts"], 0);
        assert_eq!(seen["tables"][0], format!("main.{SCRIPT}"));
        assert_eq!(seen["columns"][2], QUOTED);
        assert!(seen["bars"].as_u64().unwrap() > 20, "{seen}");
        assert!(!said.contains("Content Security Policy"), "{said}");
        let pages = ["/look.html", "/report.html", "/favicon.ico"];
        assert!(asked.iter().all(|path| pages.contains(&path.as_str())), "{asked:?}");
        assert!(asked.iter().any(|path| path == "/report.html"), "{asked:?}");
    }
}
