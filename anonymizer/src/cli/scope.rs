//! `--scope`: how far the scrub goes.

use clap::{Args, ValueEnum};

use crate::engine::Scope;

/// How far the scrub goes.
#[derive(Debug, Args)]
pub struct ScopeArgument {
    /// Scrub this database and report what belongs to the server, or scrub the whole server, which is then the run's own:
    /// its other databases, roles, settings and slots.
    #[arg(long, value_enum, default_value_t = Word::Database, env = "ANONYMIZER_SCOPE", hide_env_values = true)]
    scope: Word,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Word {
    Database,
    Instance,
}

impl ScopeArgument {
    /// What was said.
    pub fn scope(&self) -> Scope {
        match self.scope {
            Word::Database => Scope::Database,
            Word::Instance => Scope::Instance,
        }
    }
}
