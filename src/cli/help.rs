//! The texts of `--help` below the flags: examples and exit codes.

pub(super) const ALL: &str = "\
Exit codes: 0 success (decide: allowed), 1 the policy failed (decide: denied), 2 the command could \
not be carried out.

Example: peerage check policies/stores";

pub(super) const CHECK: &str = "\
Examples:
  peerage check policies/stores
  peerage check --deny-warnings policies/stores                   fail on warnings too
  peerage check --format sarif policies/stores > peerage.sarif    for code scanning
  peerage check --ignore kustomization.yaml policies/stores       skip a file that is not a policy
  peerage check - < policies/stores/policy.yaml                   from standard input

Exit codes: 0 no errors, 1 errors (with --deny-warnings, also warnings), 2 the policy is missing or \
can't be read.";

pub(super) const COMPILE: &str = "\
Example: peerage compile policies/stores

Exit codes: 0 the policy compiles, 1 it has errors, 2 it is missing or can't be read.";

pub(super) const DECIDE: &str = "\
Examples:
  peerage decide -s 3 -a start_chat -r 2 policies/stores
  peerage decide -s alma -a add_admin -r house --member cara policies/community
  peerage decide -s 3 -a send_message -r 4 --conversation existing policies/stores
  peerage decide -s 3 -a create_group --explain policies/stores

Exit codes: 0 allowed, 1 denied, 2 the request can't be decided.";

pub(super) const REACH: &str = "\
Examples:
  peerage reach -s 5 policies/stores                         whom may 5 start a chat with?
  peerage reach -r 2 policies/stores                         who may start one with 2?
  peerage reach -s deniz -a leave policies/community         which groups may deniz leave?
  peerage reach -a create_group policies/stores              who may create groups?
  peerage reach -s alma -a add_member -r house policies/community
                                                             whom may alma add to house?
  peerage reach --matrix policies/stores                     who reaches whom, as a table

Exit codes: 0 success, 1 the policy has errors, 2 the list can't be computed.";

pub(super) const DIFF: &str = "\
Examples:
  peerage diff main:policies/stores policies/stores       what does this branch open and close?
  peerage diff --max-lost 0 main:policies/stores policies/stores
                                                          exit code 1 if a pair is lost
  peerage diff --facts users.ndjson old.yaml new.yaml     with the users of another file
  peerage diff --format markdown main:policies/stores policies/stores
                                                          a comment for a pull request

Exit codes: 0 within the limits, 1 a limit is exceeded or a side has errors, 2 a side can't be read.";

pub(super) const FMT: &str = "\
Examples:
  peerage fmt policies                                  rewrite files in canonical form
  peerage fmt --check policies                          list the files that would change
  peerage fmt --to dsl policies/stores/policy.yaml      print it in the other notation

Exit codes: 0 all files are in canonical form, 1 a file has mistakes, or with --check is not in \
canonical form, 2 a file can't be read or written.";

pub(super) const SCHEMA: &str = "\
Examples:
  peerage schema > policies/.policy.schema.json
  peerage schema --of tests > policies/.tests.schema.json

The first line of a file names its schema:
  # yaml-language-server: $schema=.policy.schema.json

Exit codes: 0 success, 2 the schema can't be printed.";

pub(super) const TEST: &str = "\
Examples:
  peerage test policies/stores
  peerage test policies/stores --filter headquarters
  peerage test policies/stores --min-coverage 80
  peerage test policies/stores --format junit > report.xml

Exit codes: 0 all tests pass with the coverage, 1 a test fails, the coverage is too low, or the policy \
or a test has mistakes, 2 the tests are missing or can't be read.";

pub(super) const REPLAY: &str = "\
Example: peerage replay decisions.ndjson --policy policies/stores

Exit codes: 0 no decision differs, 1 a decision differs or a line is malformed, 2 the log or the policy \
can't be read.";

pub(super) const SERVE: &str = "\
Examples:
  peerage serve policies/stores
  peerage serve policies/stores --uds /run/peerage.sock --max-changed 5%
  peerage serve policies/stores --store facts.redb --admin-uds /run/peerage-admin.sock
  peerage serve policies/stores --store facts.redb --admin-token-file token --dialect flip

Exit codes: 0 stopped by a signal, 1 the policy has errors or is held at the start, 2 the daemon can't \
serve.";

pub(super) const HEALTH: &str = "\
Examples:
  peerage health
  peerage health http://127.0.0.1:7412 --timeout 500ms
  peerage health --uds /run/peerage.sock

Exit codes: 0 it is ready, 1 it is not, or can't be reached in time, 2 the command line is wrong.";

pub(super) const FACTS: &str = "\
Examples:
  peerage facts export --store facts.redb > facts.ndjson
  peerage facts import facts.ndjson --store new.redb

Exit codes: 0 success, 1 some lines were not imported, 2 the command could not be carried out.";

pub(super) const FACTS_EXPORT: &str = "\
Examples:
  peerage facts export --store facts.redb > facts.ndjson
  peerage facts export --admin-uds /run/peerage-admin.sock --output facts.ndjson
  peerage facts export --from http://127.0.0.1:7411 --admin-token-file token > facts.ndjson

The first line has the revision; the others are records, such as {\"user\":\"alice\",\"record\":{...}}.

Exit codes: 0 success, 2 the export failed.";

pub(super) const FACTS_IMPORT: &str = "\
Examples:
  peerage facts import facts.ndjson --store new.redb
  peerage facts import users.ndjson --admin-uds /run/peerage-admin.sock
  zcat facts.ndjson.gz | peerage facts import - --store new.redb

Exit codes: 0 all lines were imported, 1 some were not, 2 the import stopped early.";

pub(super) const FACTS_HISTORY: &str = "\
Examples:
  peerage facts history --admin-uds /run/peerage-admin.sock --user bob
  peerage facts history --from http://127.0.0.1:7411 --admin-token-file token --by alice \
--since 2026-11-01T00:00:00Z

Exit codes: 0 success, 2 the history could not be read.";

pub(super) const STORE: &str = "\
Examples:
  peerage store check facts.redb
  peerage store backup --admin-uds /run/peerage-admin.sock --to monday.redb

Exit codes: 0 success, 1 records are damaged or commits are lost, 2 the command could not be carried \
out.";

pub(super) const STORE_BACKUP: &str = "\
Examples:
  peerage store backup facts.redb --to monday.redb                      a store that no daemon has open
  peerage store backup --admin-uds /run/peerage-admin.sock --to monday.redb
  peerage store backup --from http://127.0.0.1:7411 --admin-token-file token --to monday.redb

Exit codes: 0 success, 2 the copy failed.";
