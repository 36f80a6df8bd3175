// Make the collection that Postman's import makes of an OpenAPI document, with the settings that the README names.
// Usage: node postman.js OPENAPI.json COLLECTION.json
const fs = require("fs");
const { convert } = require("openapi-to-postmanv2");

const [source, target] = process.argv.slice(2);
const settings = { requestParametersResolution: "Example", enableOptionalParameters: process.env.OPTIONAL === "on" };
convert({ type: "string", data: fs.readFileSync(source, "utf8") }, settings, (failure, made) => {
  if (failure || !made.result) throw failure || new Error(made.reason);
  fs.writeFileSync(target, JSON.stringify(made.output[0].data));
});
