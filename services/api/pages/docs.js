// Show openapi.json as a page: what can be asked, with which parameters, and an example to paste.
"use strict";

function element(name, text, className) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function typeOf(schema, schemas) {
  if (schema.$ref) return typeOf(schemas[schema.$ref.split("/").pop()], schemas);
  if (schema.anyOf) return schema.anyOf.map((one) => typeOf(one, schemas)).filter((type) => type !== "null").join(" or ");
  if (schema.enum) return schema.enum.join(" | ");
  const limits = [schema.minimum, schema.maximum].every((limit) => limit != null);
  return (schema.format ?? schema.type ?? "") + (limits ? ` ${schema.minimum}…${schema.maximum}` : "");
}

function parameters(operation, schemas) {
  const table = element("table");
  for (const parameter of operation.parameters) {
    const row = table.insertRow();
    row.insertCell().append(element("code", parameter.name + (parameter.required ? " *" : "")));
    row.insertCell().textContent = typeOf(parameter.schema, schemas);
    const fallback = parameter.schema.default == null ? "" : ` (default ${parameter.schema.default})`;
    row.insertCell().textContent = (parameter.description ?? "") + fallback;
  }
  return table;
}

function sample(parameter) {
  return parameter.schema.examples?.[0] ?? parameter.examples?.[0] ?? "";
}

function body(operation, schemas) {
  if (!operation.requestBody?.required) return "";
  const given = operation.requestBody.content["application/json"].schema;
  const schema = given.$ref ? schemas[given.$ref.split("/").pop()] : given;
  const fields = Object.entries(schema.properties).filter(([name]) => schema.required?.includes(name));
  const value = Object.fromEntries(fields.map(([name, field]) => [name, field.examples?.[0] ?? ""]));
  return ` -H "Content-Type: application/json" -d '${JSON.stringify(value)}'`;
}

function example(path, method, operation, schemas) {
  const required = (operation.parameters ?? []).filter((parameter) => parameter.required);
  const values = required.filter((one) => one.in === "query").map((one) => `${one.name}=${sample(one)}`);
  const query = values.length ? `?${values.join("&")}` : "";
  const inPath = required.filter((one) => one.in === "path");
  const filled = inPath.reduce((text, one) => text.replace(`{${one.name}}`, sample(one)), path);
  const token = operation.security ? ` -H "Authorization: Bearer $API_TOKEN"` : "";
  const verb = method === "get" ? "" : ` -X ${method.toUpperCase()}`;
  return `curl${verb}${token}${body(operation, schemas)} "${location.origin}${filled}${query}"`;
}

function show(path, method, operation, schemas) {
  const section = element("section", "", "operation");
  const heading = element("h3");
  heading.append(element("span", method.toUpperCase(), "method"), element("code", path), ` ${operation.summary ?? ""}`);
  section.append(heading, element("p", (operation.description ?? "").replaceAll("`", "")));
  if (operation.parameters?.length) section.append(parameters(operation, schemas));
  section.append(element("pre", example(path, method, operation, schemas)));
  return section;
}

async function main() {
  const api = await (await fetch("/openapi.json")).json();
  document.getElementById("about").textContent = api.info.description.replaceAll("`", "");
  const operations = document.getElementById("operations");
  for (const tag of api.tags) {
    operations.append(element("h2", tag.name));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.tags?.includes(tag.name)) operations.append(show(path, method, operation, api.components.schemas));
      }
    }
  }
}

main();
