//! Secrets in Secrets Manager. A secret's name is its name there; an ARN, as RDS tells it of the secrets that it keeps itself,
//! will do as well.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use aws_types::SdkConfig;

use super::error;
use crate::error::AccountError;
use crate::secrets::Secret;

/// The secrets of an account in a region.
#[derive(Clone, Debug)]
pub struct Manager {
    client: Client,
    /// Everything of an ARN before the name.
    place: String,
    key: Option<String>,
}

impl Manager {
    /// The secrets of the account that the configuration's credentials are of.
    pub fn new(config: &SdkConfig, account: &str) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let partition = match region.split('-').next() {
            Some("cn") => "aws-cn",
            _ if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        let place = format!("arn:{partition}:secretsmanager:{region}:{account}:secret:");
        Self { client: Client::new(config), place, key: None }
    }

    /// Encrypts secrets that are made under a KMS key of the account's, not under the one that every secret has by default.
    pub fn encrypted(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    pub(crate) async fn get(&self, name: &str) -> Result<Option<Secret>, AccountError> {
        match self.client.get_secret_value().secret_id(name).send().await {
            Ok(answer) => match answer.secret_string {
                Some(text) => Ok(Some(Secret::new(text))),
                None => Err(AccountError::Other(format!("the secret `{name}` is not a text"))),
            },
            Err(refusal) => match refusal.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) => Ok(None),
                _ => Err(error::of(&format!("read the secret `{name}`"), refusal)),
            },
        }
    }

    /// A new version of the secret, or the first.
    pub(crate) async fn put(&self, name: &str, secret: &Secret) -> Result<(), AccountError> {
        if self.replace(name, secret).await? || self.create(name, secret).await? {
            return Ok(());
        }
        // Somebody made it between the two.
        match self.replace(name, secret).await? {
            true => Ok(()),
            false => Err(AccountError::Passing(format!("the secret `{name}` comes and goes"))),
        }
    }

    /// False where there is none.
    async fn replace(&self, name: &str, secret: &Secret) -> Result<bool, AccountError> {
        let request = self.client.put_secret_value().secret_id(name);
        match request.secret_string(secret.expose()).send().await {
            Ok(_) => Ok(true),
            Err(refusal) => match refusal.as_service_error() {
                Some(PutSecretValueError::ResourceNotFoundException(_)) => Ok(false),
                _ => Err(error::of(&format!("write the secret `{name}`"), refusal)),
            },
        }
    }

    /// False where there is one.
    async fn create(&self, name: &str, secret: &Secret) -> Result<bool, AccountError> {
        let request = self.client.create_secret().name(name).set_kms_key_id(self.key.clone());
        match request.secret_string(secret.expose()).send().await {
            Ok(_) => Ok(true),
            Err(refusal) => match refusal.as_service_error() {
                Some(CreateSecretError::ResourceExistsException(_)) => Ok(false),
                _ => Err(error::of(&format!("make the secret `{name}`"), refusal)),
            },
        }
    }

    /// At once: a secret that waits for its deletion can still be had back, and its name is taken for as long.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), AccountError> {
        let request = self.client.delete_secret().secret_id(name);
        match request.force_delete_without_recovery(true).send().await {
            Ok(_) => Ok(()),
            Err(refusal) => match refusal.as_service_error() {
                Some(DeleteSecretError::ResourceNotFoundException(_)) => Ok(()),
                _ => Err(error::of(&format!("remove the secret `{name}`"), refusal)),
            },
        }
    }

    /// An ARN without the six letters that Secrets Manager puts behind the name, which it understands.
    pub(crate) fn reference(&self, name: &str) -> String {
        match name.starts_with("arn:") {
            true => name.to_owned(),
            false => format!("{}{name}", self.place),
        }
    }
}
