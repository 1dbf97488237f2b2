//! The seeds of each target: the policies of the repository, the requests of the tests' scripts, and the
//! files of `fuzz/seeds/`, where what was once found is kept too.

use std::{
    fs,
    path::{Path, PathBuf},
};

use peerage::{
    source::{Notation, Source},
    syntax::{format, print::Form},
};
use serde_json::Value;

/// The seeds of a target, in an order that is the same each time.
pub(crate) fn of(name: &str) -> Vec<Vec<u8>> {
    let scripts = "tests/service/dialects";
    let mut seeds = match name {
        "dsl" => [read(&files("policies", ".peerage")), converted(Form::Dsl)].concat(),
        "yaml" => read(&policies()),
        "json" => converted(Form::Json),
        "csv" => read(&files("policies", ".csv")),
        "tests" => read(&files("policies", ".test.yaml")),
        "flip" | "mesibo" | "tencent" | "xmtp" | "matrix" => {
            files(&format!("{scripts}/{name}"), ".yaml")
                .iter()
                .flat_map(|file| calls(file))
                .collect()
        }
        "frames" => vec![texts(Path::new(&format!("{scripts}/venueless/frames.yaml")))],
        _ => Vec::new(),
    };
    seeds.extend(read(&files(&format!("fuzz/seeds/{name}"), "")));
    seeds
}

fn read(paths: &[PathBuf]) -> Vec<Vec<u8>> {
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The files below a folder whose names end so.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn policies() -> Vec<PathBuf> {
    let mut found = files("policies", ".yaml");
    found.retain(|path| !path.to_str().unwrap().ends_with(".test.yaml"));
    found
}

/// The policies in YAML, in another form.
fn converted(form: Form) -> Vec<Vec<u8>> {
    let read = policies().into_iter().map(|path| (fs::read_to_string(&path).unwrap(), path));
    let converted = read.filter_map(|(text, path)| {
        // JSON has no comments.
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let lines: Vec<&str> = lines.map(|line| line.split(" #").next().unwrap()).collect();
        let name = path.to_str().unwrap();
        format::format(&Source::new(name, Notation::Yaml, lines.join("\n")), form).ok()
    });
    converted.map(String::into_bytes).collect()
}

/// The steps of a script.
fn steps(path: &Path) -> Vec<Value> {
    let script: Value = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    script["steps"].as_array().cloned().unwrap_or_default()
}

/// The calls of a script, as the targets of requests take them.
fn calls(path: &Path) -> Vec<Vec<u8>> {
    let calls = steps(path).into_iter().filter_map(|step| {
        let mut call = format!("{}\n", step["send"].as_str()?);
        for (name, value) in step["headers"].as_object().into_iter().flatten() {
            call += &format!("{name}: {}\n", value.as_str().unwrap_or_default());
        }
        let body = match &step["body"] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        Some(format!("{call}\n{body}").into_bytes())
    });
    calls.collect()
}

/// The texts that a script sends on sockets, a line each.
fn texts(path: &Path) -> Vec<u8> {
    let steps = steps(path);
    let texts = steps.iter().filter_map(|step| step["send"].as_str());
    texts.collect::<Vec<_>>().join("\n").into_bytes()
}
