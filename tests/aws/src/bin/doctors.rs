//! Both doctors as a program, for the drill: `doctors production|development FILE [KEY]`, with the file that holds what the
//! functions are told and the masking key. The commands of both accounts print the same, and end with the same code.

#![expect(clippy::print_stdout, reason = "what it has found is its result")]

use std::error::Error;
use std::process::ExitCode;

use orchestrator::doctor::Asked;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(account), Some(file)) = (words.next(), words.next()) else {
        return Err("an account and a file are wanted".into());
    };
    let (told, config) = (std::fs::read(file)?, account::aws::config().await);
    let findings = if account == "production" {
        let told = orchestrator::doctor::environment(&told)?;
        let production = orchestrator::aws::Production::new(config, told)?;
        let asked = Asked { mask_key: words.next(), ..Asked::default() };
        Box::pin(orchestrator::doctor::examine(&production, &asked)).await.findings
    } else {
        let told = receiver::doctor::environment(&told)?;
        let development = receiver::aws::Development::new(config, told)?;
        Box::pin(receiver::doctor::examine(&development)).await
    };
    print!("{findings}");
    Ok(ExitCode::from(if findings.any_wrong() { 3 } else { 0 }))
}
