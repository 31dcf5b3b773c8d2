//! Deleting databases, and proving that nothing is left of them. A last snapshot is never taken: it would be one more copy of
//! what was to go.

use super::find::kind;
use super::{Rds, error};
use crate::error::SnapshotError;
use crate::port::{Kind, Member};
use crate::status::{Meaning, meaning};

impl Rds {
    pub(super) async fn remove_database(&self, resource_id: &str) -> Result<(), SnapshotError> {
        let database = self.the(resource_id).await?;
        let name = &database.name;
        if meaning(&database.status) == Meaning::Going {
            return Ok(());
        }
        if database.protected {
            return Err(SnapshotError::Denied(format!(
                "{name} is protected from deletion\n(hint: take the protection off first)"
            )));
        }
        if !database.members.is_empty() {
            self.remove_members(&database.members).await?;
            return Err(SnapshotError::InvalidState(format!(
                "the members of {name} are being deleted\n(hint: ask again)"
            )));
        }
        match database.kind {
            Kind::Instance => {
                let request = self.client.delete_db_instance().db_instance_identifier(name);
                let request = request.skip_final_snapshot(true).delete_automated_backups(true);
                request.send().await.map(drop).map_err(|err| error::of(name, err))
            }
            Kind::Cluster => {
                let request = self.client.delete_db_cluster().db_cluster_identifier(name);
                let request = request.skip_final_snapshot(true).delete_automated_backups(true);
                request.send().await.map(drop).map_err(|err| error::of(name, err))
            }
        }
    }

    /// Each member that is not going already, also where one of them refuses: the first refusal is answered.
    async fn remove_members(&self, members: &[Member]) -> Result<(), SnapshotError> {
        let mut refusal = Ok(());
        for member in members.iter().filter(|one| meaning(&one.status) != Meaning::Going) {
            let request = self.client.delete_db_instance().db_instance_identifier(&member.name);
            let sent = request.skip_final_snapshot(true).send().await;
            match sent.map_err(|err| error::of(&member.name, err)) {
                Ok(_) | Err(SnapshotError::NotFound(_)) => {}
                Err(err) => refusal = refusal.and(Err(err)),
            }
        }
        refusal
    }

    pub(super) async fn backups(&self, resource_id: &str) -> Result<Vec<String>, SnapshotError> {
        let found = match kind(resource_id)? {
            Kind::Instance => {
                let request = self.client.describe_db_instance_automated_backups();
                let pages = request.dbi_resource_id(resource_id).into_paginator().page_size(100);
                let all: Result<Vec<_>, _> = pages.items().send().collect().await;
                all.map_err(|err| error::of(resource_id, err)).map(|all| {
                    let mine = all.into_iter();
                    let mine = mine.filter(|one| one.dbi_resource_id() == Some(resource_id));
                    mine.map(|one| {
                        one.db_instance_automated_backups_arn.or(one.db_instance_identifier)
                    })
                    .collect::<Vec<_>>()
                })
            }
            Kind::Cluster => {
                let request = self.client.describe_db_cluster_automated_backups();
                let pages = request.db_cluster_resource_id(resource_id).into_paginator();
                let all: Result<Vec<_>, _> = pages.page_size(100).items().send().collect().await;
                all.map_err(|err| error::of(resource_id, err)).map(|all| {
                    let mine = all.into_iter();
                    let mine = mine.filter(|one| one.db_cluster_resource_id() == Some(resource_id));
                    mine.map(|one| {
                        one.db_cluster_automated_backups_arn.or(one.db_cluster_identifier)
                    })
                    .collect()
                })
            }
        };
        match found {
            Ok(names) => {
                Ok(names.into_iter().map(|n| n.unwrap_or_else(|| resource_id.into())).collect())
            }
            Err(SnapshotError::NotFound(_)) => Ok(Vec::new()),
            Err(err) => Err(err),
        }
    }

    pub(super) async fn remove_backups(&self, resource_id: &str) -> Result<(), SnapshotError> {
        if self.backups(resource_id).await?.is_empty() {
            return Ok(());
        }
        match kind(resource_id)? {
            Kind::Instance => {
                let request = self.client.delete_db_instance_automated_backup();
                let request = request.dbi_resource_id(resource_id);
                request.send().await.map(drop).map_err(|err| error::of(resource_id, err))
            }
            Kind::Cluster => {
                let request = self.client.delete_db_cluster_automated_backup();
                let request = request.db_cluster_resource_id(resource_id);
                request.send().await.map(drop).map_err(|err| error::of(resource_id, err))
            }
        }
    }
}
