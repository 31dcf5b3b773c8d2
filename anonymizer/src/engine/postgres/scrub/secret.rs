//! What the name of an option or a setting says about its value. The value itself is asked only whether it is a connection
//! string with a password, and never leaves the server.

/// An SQL condition: `name` speaks of a secret, or `value` is a connection string with one.
pub fn is_secret(name: &str, value: &str) -> String {
    format!(
        "({name} <> 'password_encryption' AND
          ({name} ~* '(password|passwd|passphrase|pwd|secret|token|credential|api_?key|access_?key|private_?key|encryption_?key|salt|conninfo|dsn)'
           OR {value} ~* '(password|passwd|pwd)\\s*=' OR {value} ~ '://[^/@\\s]*:[^/@\\s]*@'))"
    )
}
