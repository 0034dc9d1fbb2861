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
  responseInterceptor: fillInJob,
});

// Whoever began a job wants to follow it: its id goes into the field of every operation that asks for one.
function fillInJob(response) {
  if (response.status === 202 && response.obj?.job_id) {
    const paths = ui.specSelectors.specJson().get("paths").filter((_, path) => path.includes("{job_id}"));
    paths.forEach((operations, path) =>
      operations.forEach((operation, method) => {
        const field = operation.get("parameters").find((parameter) => parameter.get("name") === "job_id");
        ui.specActions.changeParamByIdentity([path, method], field, response.obj.job_id);
      }),
    );
  }
  return response;
}

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
