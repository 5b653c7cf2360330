//! Requests to the Node API.

use super::access_key::AccessKey;
use super::info::Info;
use super::refusal::Refusal;
use crate::http::{Client, Login, Method, Origin, Request, Response, query};

/// A node, asked by one login.
pub struct Node<'c> {
    client: &'c Client,
    origin: &'c Origin,
    login: &'c Login,
}

impl<'c> Node<'c> {
    pub fn new(client: &'c Client, origin: &'c Origin, login: &'c Login) -> Self {
        Self {
            client,
            origin,
            login,
        }
    }

    /// Asks what the node is, and who the login is for it.
    pub fn info(&self) -> Result<Info, Refusal> {
        let answer = self.get("/info", "", Refusal::NoApi)?;
        Info::parse(&answer.body).ok_or(Refusal::NotTheApi)
    }

    /// Asks for all access keys that the login may see. Servers before 3.8.0 return their storages only if they are asked for.
    pub fn access_keys(&self, asks_for_storages: bool) -> Result<Vec<AccessKey>, Refusal> {
        let query = if asks_for_storages {
            query(&[("embed[]", "storage")])
        } else {
            String::new()
        };
        let answer = self.get("/access_keys", &query, Refusal::NoAccessKeys)?;
        AccessKey::parse_all(&answer.body).ok_or(Refusal::NotTheApi)
    }

    fn get(&self, path: &str, query: &str, not_there: Refusal) -> Result<Response, Refusal> {
        let headers = [
            ("accept", "application/json".to_owned()),
            ("authorization", self.login.header().to_owned()),
        ];
        let request = Request {
            method: Method::Get,
            origin: self.origin,
            path,
            query,
            headers: &headers,
            body: &[],
        };
        let answer = self.client.repeat(|| self.client.send(&request));
        let answer = answer.map_err(Refusal::NoAnswer)?;
        match answer.status {
            200 => Ok(answer),
            404 => Err(not_there),
            status => Err(Refusal::of_status(status)),
        }
    }
}
