// client.mjs URL EMAIL PASSWORD: works with a client that is made of the document alone.
import assert from "node:assert/strict";
import { OpenAPIClientAxios } from "openapi-client-axios";

const [url, email, password] = process.argv.slice(2);
const api = new OpenAPIClientAxios({
	definition: `${url}/api/v1/openapi.json`,
	axiosConfigDefaults: { baseURL: url },
});
const client = await api.init();

const token = await client.postAuthToken(null, { email, password });
client.defaults.headers.common.Authorization = `Bearer ${token.data.access_token}`;

const made = await client.postTickets(null, { title: "By a client", description: "Hello" });
assert.equal(made.status, 201);
const id = made.data.id;
assert.equal(made.headers.location, `/api/v1/tickets/${id}`);

const said = await client.postTicketsIdComments({ id }, { body: "First *answer*" });
assert.equal(said.data.ticket, id);
const changed = await client.patchTicketsId({ id }, { priority: "high", version: undefined });
assert.equal(changed.data.priority, "high");
const listed = await client.getTickets({ priority: "high", per_page: 100, sort: "-id" });
assert.ok(listed.data.items.some((t) => t.id === id));
const history = await client.getTicketsIdHistory(id);
assert.ok(history.data.items.some((h) => h.action === "priority"));
const ran = await client.postTicketsIdCommands(id, { text: "#take\n#resolve" });
assert.ok(ran.data.ok && ran.data.ticket.status === "resolved");
await assert.rejects(client.patchTicketsId({ id }, { nonsense: 1 }), (e) => {
	assert.equal(e.response.status, 422);
	assert.equal(e.response.data.errors[0].field, "nonsense");
	return true;
});
console.log(api.getOperations().filter((o) => client[o.operationId]).length);
