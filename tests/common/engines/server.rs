//! A server of a test binary's own, which ends with it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running server. It lives as long as its standard input is open: at the latest, it ends with this process.
pub struct Server {
    pub url: String,
    _process: Child,
}

impl Server {
    /// Starts `tests/support/engine.ts` for a product.
    pub fn start(product: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let node = root.join("node_modules/.bin/node");
        assert!(
            node.exists(),
            "the tests of real databases start them with {}, which is not there: run `npm run setup` once",
            node.display()
        );
        let mut process = Command::new(&node)
            .args(["tests/support/engine.ts", product])
            .current_dir(root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", node.display()));
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.contains("://"), "{product} did not start; what it said is above");
        Self { url: url.trim_end().to_owned(), _process: process }
    }
}
