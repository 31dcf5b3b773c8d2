//! The masking command's image, as far as it can be held without anything that builds images: its whole file system, made of the
//! command that the tests run, is entered as the user that a task has; and its context is the last commit's.
//!
//! It compiles nothing: `infra/Dockerfile`'s own build is what `infra/README.md` measures.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Output};

use e2e::command::skipped;

use crate::tree::root;

/// What it is, beside the libraries that the command links. Nothing else: above all no shell.
const FILES: &[&str] = &[
    "bin/anonymizer",
    "etc/group",
    "etc/nsswitch.conf",
    "etc/passwd",
    "etc/ssl/certs/ca-certificates.crt",
    "etc/ssl/certs/rds-ca.pem",
];
const USER: &str = "65532:65532";

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Every file below a directory, and the rights of everything.
fn list(directory: &Path) -> (BTreeSet<String>, Vec<(String, u32)>) {
    let (mut files, mut modes, mut left) =
        (BTreeSet::new(), Vec::new(), vec![directory.to_owned()]);
    while let Some(path) = left.pop() {
        for entry in fs::read_dir(&path).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(directory).unwrap().display().to_string();
            let found = fs::symlink_metadata(&path).unwrap();
            modes.push((name.clone(), found.permissions().mode() & 0o7777));
            if found.is_dir() {
                left.push(path);
            } else {
                files.insert(name);
            }
        }
    }
    (files, modes)
}

/// Runs the command with the file system as its root: as a task's user where we are root, otherwise in a name space of our own.
/// Nothing where neither is allowed.
fn inside(directory: &Path, arguments: &[&str]) -> Option<Output> {
    // We have just made it, so it is ours.
    let root = fs::metadata(directory).unwrap().uid() == 0;
    let mut command = Command::new(if root { "chroot" } else { "unshare" });
    if root {
        command.arg(format!("--userspec={USER}"));
    } else {
        command.args(["--map-root-user", "chroot"]);
    }
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.arg(directory).arg("/bin/anonymizer").args(arguments);
    let output = command.output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let forbidden = said.starts_with("unshare:") || said.contains("Operation not permitted");
    (!forbidden).then_some(output)
}

#[test]
fn the_file_system_is_all_that_the_command_needs() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    let (made, bundle) = (directory.path().join("root"), directory.path().join("bundle.pem"));
    fs::write(&bundle, "-----BEGIN CERTIFICATE-----\n").unwrap();
    let executable = env!("CARGO_BIN_EXE_anonymizer-under-test");
    done(Command::new(root().join("infra/root-filesystem")).arg(executable).args([&bundle, &made]));

    let (files, modes) = list(&made);
    let (libraries, others): (BTreeSet<&str>, BTreeSet<&str>) =
        files.iter().map(String::as_str).partition(|name| name.starts_with("lib"));
    assert_eq!(others, FILES.iter().copied().collect());
    assert!(!libraries.is_empty());
    for library in libraries {
        assert!(library.contains(".so"), "{library} is no library");
    }
    for (name, mode) in modes {
        let expected = if name == "tmp" { 0o1777 } else { mode & 0o755 };
        assert_eq!(mode, expected, "{name} can be written by others, or be more than its caller");
    }

    let Some(version) = inside(&made, &["--version"]) else {
        return skipped("the_file_system_is_all_that_the_command_needs", "chroot is not allowed");
    };
    let said = String::from_utf8_lossy(&version.stdout).into_owned();
    assert!(said.starts_with("anonymizer "), "{said}{}", String::from_utf8_lossy(&version.stderr));

    // Hosts are found by what the runtime lays there.
    fs::write(made.join("etc/hosts"), "127.0.0.1 shop.invalid\n").unwrap();
    fs::write(made.join("rules.yaml"), "version: 1\ntables: { people: keep }\n").unwrap();
    for (host, why) in [("shop", "ConnectionRefused"), ("absent", "cannot be resolved")] {
        let url = format!("postgres://anybody@{host}.invalid:1/shop?sslmode=disable");
        let output =
            inside(&made, &["check", "--rules", "/rules.yaml", "--database-url", &url]).unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(why), "{host}: {said}");
        assert_eq!(output.status.code(), Some(contract::exit_codes::TEMPORARY.into()), "{said}");
    }
}

/// The image, its file system and the task that runs it speak of the same user and the same files.
#[test]
fn the_image_is_what_the_task_runs() {
    let (dockerfile, script, template) =
        (read("infra/Dockerfile"), read("infra/root-filesystem"), read("infra/production.yaml"));
    let (image, task) = (dockerfile.split("FROM scratch").nth(1).unwrap(), template);
    assert!(image.contains(&format!("\nUSER {USER}\n")), "{image}");
    assert!(task.contains(&format!("User: \"{USER}\"")));
    assert!(script.contains(&format!("anonymizer:x:{USER}::/tmp:")));
    assert!(image.contains("VOLUME [\"/tmp\"]") && task.contains("ContainerPath: /tmp,"));
    assert!(image.contains("STOPSIGNAL SIGTERM"));
    assert!(image.contains("ENTRYPOINT [\"/bin/anonymizer\"]"));
    for (variable, file) in [
        ("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"),
        ("ANONYMIZER_CA_FILE", "/etc/ssl/certs/rds-ca.pem"),
    ] {
        assert!(image.contains(&format!("{variable}={file}")), "{variable}");
        assert!(FILES.contains(&&file[1..]));
    }
    let (_, trusted) = task.split_once("\n  DatabaseCaFile:\n").unwrap();
    assert!(
        trusted.lines().take(2).any(|line| line.ends_with("Default: /etc/ssl/certs/rds-ca.pem"))
    );
}

/// In a checkout in which things lie about and a file is changed.
#[test]
fn the_context_is_what_the_last_commit_has() {
    let git = |place: &Path| {
        let mut command = Command::new("git");
        command.arg("-C").arg(place);
        command
    };
    let there = git(&root()).args(["rev-parse", "HEAD"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        return skipped("the_context_is_what_the_last_commit_has", "this is no checkout of git");
    }
    let directory = tempfile::tempdir().unwrap();
    let clone = directory.path().join("clone");
    let mut command = git(&root());
    done(command.args(["clone", "--quiet", "--shared", "."]).arg(&clone));
    fs::copy(root().join("infra/context"), clone.join("infra/context")).unwrap();
    fs::write(clone.join("infra/Dockerfile"), "FROM elsewhere\n").unwrap();
    fs::write(clone.join("anonymizer/secret.pem"), "a secret").unwrap();
    fs::create_dir(clone.join("anonymizer/target")).unwrap();
    fs::write(clone.join("anonymizer/target/built"), "built").unwrap();
    let bundle = directory.path().join("bundle of ours.pem");
    fs::write(&bundle, "-----BEGIN CERTIFICATE-----\n").unwrap();

    let tars = ["one.tar", "two.tar"].map(|name| directory.path().join(name));
    for tar in &tars {
        done(Command::new(clone.join("infra/context")).arg(&bundle).arg(tar));
    }
    let [first, second] = tars.each_ref().map(|tar| fs::read(tar).unwrap());
    assert!(first == second, "made twice it is two contexts");

    let unpacked = directory.path().join("unpacked");
    fs::create_dir(&unpacked).unwrap();
    done(Command::new("tar").arg("-xf").arg(&tars[0]).arg("-C").arg(&unpacked));
    let committed = done(git(&clone).args(["ls-tree", "-r", "--name-only", "HEAD"]));
    let committed: BTreeSet<&str> = committed.lines().collect();
    let (files, _) = list(&unpacked);
    for name in &files {
        let own = ["Dockerfile", "root-filesystem", "rds-ca.pem"].contains(&name.as_str());
        assert!(own || committed.contains(name.as_str()), "{name} is not committed");
    }
    let head = done(git(&clone).args(["rev-parse", "HEAD"]));
    let dockerfile = fs::read_to_string(unpacked.join("Dockerfile")).unwrap();
    assert!(dockerfile.contains(&format!("\nARG REVISION={head}")), "{dockerfile}");
    assert!(dockerfile.contains("\nFROM scratch\n"), "{dockerfile}");

    // Everything is there that cargo reads before it compiles.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = ["metadata", "--format-version=1", "--locked", "--offline"];
    done(Command::new(cargo).args(metadata).current_dir(&unpacked));
}
