// Small helps on every page of the admin.
"use strict";
{
  // A form that came back with errors says so first, to screen readers too.
  document.querySelector(".error-summary")?.focus();

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    const said = new URLSearchParams(new FormData(form)).toString();
    if (form.dataset.sent === said) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = said; // the same again is a second click; something else is meant
    // A download leaves the page where it is: let the button work again.
    setTimeout(() => delete form.dataset.sent, 3000);
  });
}
