"use strict";

const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelRendering: "example",
  defaultModelsExpandDepth: 0,
  // Nothing leaves this origin: by default, documents are shown to a validator elsewhere.
  validatorUrl: null,
  requestInterceptor: bringPageToken,
  responseInterceptor: fillInNext,
  plugins: [() => ({ fn: { resolveSubtree } })],
});

// What Swagger UI shows of an operation has schemas in the place of references to them. Its own way to put them there
// reads the whole document anew for each operation that is opened, which takes seconds; this one follows the references.
// All are to schemas of this document, and none of these refers to itself.
async function resolveSubtree(document, path) {
  const at = (keys) => keys.reduce((part, key) => part?.[key], document);
  const resolved = (part) => {
    if (Array.isArray(part)) {
      return part.map(resolved);
    }
    if (part === null || typeof part !== "object") {
      return part;
    }
    const { $ref, ...own } = part;
    const entries = Object.entries(own).map(([key, value]) => [key, resolved(value)]);
    const target = $ref === undefined ? {} : { ...resolved(at($ref.split("/").slice(1))), $$ref: $ref };
    return { ...target, ...Object.fromEntries(entries) };
  };
  return { spec: resolved(at(path)) ?? null, errors: [] };
}

// Whoever logged in at /login has a cookie that the browser sends by itself; this shows that a page of ours asks.
function bringPageToken(request) {
  const [, token] = document.cookie.match(/(?:^|; )(?:__Host-)?mlmini_token=([0-9a-f]+)/) ?? [];
  if (token && new URL(request.url, location.href).origin === location.origin) {
    request.headers["X-Page-Token"] = token;
  }
  return request;
}

// Whoever began a job wants to follow it, and then to look at the model that it made.
function fillInNext(response) {
  const job = response.obj;
  if (job?.job_id) {
    if (response.status === 202) {
      fillIn("job_id", job.job_id);
    } else if (job.status === "succeeded" && job.result?.version) {
      fillIn("version", job.result.version);
    }
    if (job.status === "succeeded" && job.kind === "train") {
      fillInPromotion(job.request.dataset_name, job.result.version);
    }
  }
  return response;
}

// A value goes into the field of that name of every operation that has it in its path.
function fillIn(name, value) {
  const paths = ui.specSelectors.specJson().get("paths").filter((_, path) => path.includes(`{${name}}`));
  paths.forEach((operations, path) =>
    operations.forEach((operation, method) => {
      const field = operation.get("parameters").find((parameter) => parameter.get("name") === name);
      ui.specActions.changeParamByIdentity([path, method], field, value);
    }),
  );
}

// The first example of a promotion, with the model that a job has made.
function fillInPromotion(dataset_name, version) {
  const pathMethod = ["/promote", "post"];
  const body = ["paths", ...pathMethod, "requestBody", "content", "application/json", "examples"];
  const example = ui.specSelectors.specJson().getIn(body).first().get("value").toJS();
  const value = JSON.stringify({ ...example, dataset_name, version }, null, 2);
  ui.oas3Actions.setRequestBodyValue({ value, pathMethod });
  // Without this, an operation that is opened for the first time begins with its example.
  ui.oas3Actions.setRetainRequestBodyValueFlag({ value: true, pathMethod });
}

// Without a file, Swagger UI sends nothing and says nothing: the browser says what is missing, beside the field.
document.addEventListener("click", (event) => {
  const button = event.target.closest(".execute");
  const file = button?.closest(".opblock").querySelector("input[type=file]");
  if (file && !file.files.length) {
    file.setCustomValidity("Choose a file first.");
    file.reportValidity();
  }
});
document.addEventListener("change", (event) => event.target.setCustomValidity?.(""));

// Swagger UI opens links in a new tab; one to an operation of this page is to open the operation.
document.addEventListener("click", (event) => {
  const link = event.target.closest(".info a[href^='#/']");
  if (link) {
    event.preventDefault();
    history.pushState(null, "", link.hash);
    const operation = ["operations", ...link.hash.split("/").slice(1)];
    ui.layoutActions.show(operation, true);
    ui.layoutActions.scrollTo(operation);
  }
});
