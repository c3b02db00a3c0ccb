// check.mjs DOCUMENT ANSWERS: is the document a good one, and is each answer as it says?
// Are its examples? ANSWERS: [{method, path (as in the document), status, type, body}]. Prints what is wrong.
import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const [document, answers] = process.argv.slice(2).map((f) => JSON.parse(readFileSync(f)));
const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
addFormats(ajv);
ajv.addSchema(document, "document");
const wrong = [];
const pointer = (...parts) =>
	"document#/" +
	parts.map((p) => encodeURIComponent(p.replace(/~/g, "~0").replace(/\//g, "~1"))).join("/");

const checked = await new Validator().validate(document);
if (!checked.valid) wrong.push({ document: checked.errors });

for (const [path, operations] of Object.entries(document.paths))
	for (const [method, { requestBody }] of Object.entries(operations)) {
		const { example } = requestBody?.content["application/json"] ?? {};
		const at = ["paths", path, method, "requestBody", "content", "application/json", "schema"];
		const validate = example && ajv.compile({ $ref: pointer(...at) });
		if (validate && !validate(example)) wrong.push({ where: `${method} ${path}`, errors: validate.errors });
	}

for (const { method, path, status, type, body } of answers) {
	const where = `${method} ${path} ${status}`;
	const operation = document.paths[path]?.[method.toLowerCase()];
	let at = ["paths", path, method.toLowerCase(), "responses", String(status)];
	let answer = operation?.responses[status];
	if (!answer) {
		wrong.push({ where, error: "not documented", body });
		continue;
	}
	if (answer.$ref) {
		at = answer.$ref.slice(2).split("/");
		answer = at.reduce((value, key) => value[key], document);
	}
	if (!answer.content) {
		if (body !== null) wrong.push({ where, error: "has a body", body });
		continue;
	}
	const media = answer.content[type] ?? answer.content["*/*"];
	if (!media) {
		wrong.push({ where, error: `is ${type}` });
	} else if (media.schema) {
		const validate = ajv.compile({ $ref: pointer(...at, "content", type, "schema") });
		if (!validate(body)) wrong.push({ where, errors: validate.errors.slice(0, 3), body });
	}
}
for (const w of wrong) console.log(JSON.stringify(w).slice(0, 1500));
process.exit(wrong.length ? 1 : 0);
