//! Files as objects, in parts: neither end needs memory for the whole of one, and no part takes longer than one attempt of a
//! request may. For what is passing: nothing is locked.

use std::fs::File;
use std::io::{Read, Write as _};
use std::path::Path;

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::Bucket;
use super::error;
use crate::error::AccountError;

/// Of a file that is sent in parts; S3 takes ten thousand of them.
const PART: u64 = 16 << 20;

impl Bucket {
    /// Puts a file there, in place of what was.
    pub async fn upload(&self, key: &str, file: &Path) -> Result<(), AccountError> {
        let task = self.task("write", key)?;
        let local = |error| AccountError::file("read", &file.display().to_string(), &error);
        let mut source = File::open(file).map_err(local)?;
        let first = part(&mut source).map_err(local)?;
        if (first.len() as u64) < PART {
            return self.put(key, &first).await;
        }
        let begun = self.client.create_multipart_upload().bucket(&self.name).key(key).send().await;
        let begun = begun.map_err(|err| error::of(&task, err))?;
        let Some(id) = begun.upload_id() else { return Err(error::unreadable(&task)) };
        let sent = async {
            let (mut parts, mut next) = (Vec::new(), first);
            while !next.is_empty() {
                let number = i32::try_from(parts.len()).unwrap_or(i32::MAX).saturating_add(1);
                let request = self.client.upload_part().bucket(&self.name).key(key).upload_id(id);
                let request = request.part_number(number).body(next.into());
                let answer = request.send().await.map_err(|err| error::of(&task, err))?;
                let part_sent = CompletedPart::builder().part_number(number);
                parts.push(part_sent.set_e_tag(answer.e_tag).build());
                next = part(&mut source).map_err(local)?;
            }
            let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
            let request = self.client.complete_multipart_upload().bucket(&self.name).key(key);
            let request = request.upload_id(id).multipart_upload(parts);
            request.send().await.map(drop).map_err(|err| error::of(&task, err))
        };
        let sent = sent.await;
        if sent.is_err() {
            // What failed is told; parts that stay are for the bucket's lifecycle to remove.
            let abort = self.client.abort_multipart_upload().bucket(&self.name).key(key);
            let _ = abort.upload_id(id).send().await;
        }
        sent
    }

    /// Writes an object to a file.
    pub async fn download(&self, key: &str, file: &Path) -> Result<(), AccountError> {
        let task = self.task("read", key)?;
        let local = |error| AccountError::file("write", &file.display().to_string(), &error);
        let answer = self.client.get_object().bucket(&self.name).key(key).send().await;
        let mut body = answer.map_err(|err| error::of(&task, err))?.body;
        let mut target = File::create(file).map_err(local)?;
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|_| error::unreadable(&task))?;
            target.write_all(&bytes).map_err(local)?;
        }
        target.sync_all().map_err(local)
    }
}

fn part(source: &mut File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(PART).read_to_end(&mut bytes)?;
    Ok(bytes)
}
