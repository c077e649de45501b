// Sends one file and says how far it is. fetch() cannot tell the progress of an upload.

// Resolves with the text of the answer; rejects with the server's sentence (as HTML), or with "" when nothing came back.
export function send(address, fields, onProgress = () => {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return new Promise((done, refused) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.setRequestHeader("HX-Request", "true");
    request.timeout = 120_000;
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("load", () => (request.status < 300 ? done : refused)(request.responseText));
    for (const failure of ["error", "timeout", "abort"]) request.addEventListener(failure, () => refused(""));
    request.send(form);
  });
}

export function element(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html.trim();
  return holder.content.firstElementChild ?? holder.content;
}
