// SPDX-License-Identifier: MIT
//! upload URL FOLDER - reqwest with a form that is read while it is sent. HTTP/2 where TLS offers it.
use reqwest::multipart::{Form, Part};
use std::{env, error::Error, fs};

async fn part(words: &[&str]) -> Result<Part, Box<dyn Error>> {
    if words[0] == "value" {
        return Ok(Part::text(fs::read_to_string(words[2])?));
    }
    Ok(Part::file(words[2]).await?.file_name(words[3].to_string()).mime_str(words[4])?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let [_, url, folder] = <[String; 3]>::try_from(env::args().collect::<Vec<_>>()).map_err(|_| "usage: upload URL FOLDER")?;
    let mut form = Form::new();
    for line in fs::read_to_string(format!("{folder}/form.tsv"))?.lines() {
        let words: Vec<&str> = line.split('\t').collect();
        form = form.part(words[1].to_string(), part(&words).await?);
    }
    let authority = reqwest::Certificate::from_pem(&fs::read(env::var("CA")?)?)?;
    let client = reqwest::Client::builder().add_root_certificate(authority).build()?;
    let answer = client.post(url).multipart(form).send().await?;
    println!("{}\n{}", answer.status().as_u16(), answer.text().await?);
    Ok(())
}
