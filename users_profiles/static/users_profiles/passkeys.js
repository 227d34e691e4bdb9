// Buttons with data-passkey ("create" or "get") ask the browser for a passkey and send the form they are in.
"use strict";

(() => {
  const status = document.querySelector("[data-passkey-status]");
  const buttons = document.querySelectorAll("[data-passkey]");

  const optionsFor = async (button) => {
    if (!button.dataset.optionsUrl) return JSON.parse(document.getElementById("passkey-options").textContent);
    const response = await fetch(button.dataset.optionsUrl, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(response.statusText);
    return response.json();
  };

  const ask = async (button) => {
    const options = await optionsFor(button);
    if (button.dataset.passkey === "get") return window.webauthnJSON.get(options.request_options);
    // Kept on the device where it can be, so that it also signs in without a name and a password.
    const selection = options.creation_options.publicKey.authenticatorSelection;
    Object.assign(selection, { residentKey: "preferred", userVerification: "preferred" });
    return window.webauthnJSON.create(options.creation_options);
  };

  for (const button of buttons) {
    button.disabled = !window.PublicKeyCredential;
    button.addEventListener("click", async () => {
      status.textContent = "";
      button.disabled = true;
      try {
        button.form.elements.credential.value = JSON.stringify(await ask(button));
        button.form.submit();
      } catch {
        status.textContent = status.dataset.failed; // called off, or refused: nothing that needs a log
        button.disabled = false;
      }
    });
    // Enter in the field beside it means the same as the button, which is no submit button.
    button.form.addEventListener("submit", (event) => {
      event.preventDefault();
      button.click();
    });
  }
  if (buttons.length && !window.PublicKeyCredential) status.textContent = status.dataset.missing;
})();
