/* Saves each tick as it is made and brings the counts and the button up to date, so that nobody loses their place. */
(function () {
  "use strict";
  const form = document.getElementById("ticks");
  const failed = document.getElementById("tick-failed");
  let last = Promise.resolve(); // one after the other, or an earlier answer could overwrite a later one

  async function save(box) {
    const data = new FormData();
    data.set("csrfmiddlewaretoken", form.elements.namedItem("csrfmiddlewaretoken").value);
    data.set("show", form.elements.namedItem("show").value);
    data.set("row", box.value);
    if (box.checked) data.set("ticked", box.value);
    const headers = { "X-Requested-With": "fetch" };
    const answer = await fetch(form.action, { method: "POST", body: data, headers, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("check").replaceWith(document.importNode(page.getElementById("check"), true));
  }

  function keep(box) {
    last = last
      .then(() => save(box))
      .catch(() => {
        box.checked = !box.checked;
        failed.hidden = false;
      });
  }

  const isTick = (box) => box.name === "ticked" && box.form === form;
  document.addEventListener("change", (event) => {
    if (isTick(event.target)) keep(event.target);
  });
  // Whoever was quicker than this script meant it, too.
  [...form.elements].filter((box) => isTick(box) && box.checked !== box.defaultChecked).forEach(keep);
})();
