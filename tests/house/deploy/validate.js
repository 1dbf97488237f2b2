// Validates the documents of a Kubernetes file by the schemas of the npm package kubernetes-models.
const fs = require("fs");
const { parseAllDocuments } = require("yaml");

const folders = {
  "v1/ConfigMap": "v1/ConfigMap",
  "apps/v1/Deployment": "apps/v1/Deployment",
  "networking.k8s.io/v1/NetworkPolicy": "networking.k8s.io/v1/NetworkPolicy",
};

function validate(value) {
  const kind = `${value.apiVersion}/${value.kind}`;
  const name = kind.split("/").pop();
  const Model = require(`kubernetes-models/${folders[kind]}`)[name];
  new Model(value).validate();
  return kind;
}

const documents = parseAllDocuments(fs.readFileSync(process.argv[2], "utf8")).map((it) => it.toJS());
for (const document of documents) {
  console.log(validate(document));
}

// A mistake is seen, so that a success says something.
const deployment = documents.find((it) => it.kind === "Deployment");
deployment.spec.template.spec.initContainers[0].livenessProbe.periodSeconds = "often";
try {
  validate(deployment);
} catch {
  process.exit(0);
}
console.error("a mistake was not seen");
process.exit(1);
