/* Keeps the progress page of an import up to date, and goes on to the result when there is one. */
(function () {
  "use strict";
  const box = document.getElementById("progress");
  const number = new Intl.NumberFormat(document.documentElement.lang || undefined, { useGrouping: "always" });

  function part(name) {
    return box.querySelector('[data-figure="' + name + '"]');
  }

  function show(state) {
    document.getElementById("progress-bar").value = state.percent;
    for (const name of ["cursor", "total", "per_second", "left"]) {
      if (part(name)) part(name).textContent = state[name] === null ? "" : number.format(state[name]);
    }
    if (part("left-part")) part("left-part").hidden = state.left === null;
    for (const name of ["no_worker", "queues"]) {
      if (part(name)) part(name).hidden = !state[name];
    }
  }

  async function ask() {
    try {
      const answer = await fetch(box.dataset.address, { headers: { Accept: "application/json" } });
      if (!answer.ok) {
        throw new Error(String(answer.status));
      }
      const state = await answer.json();
      if (!state.under_way) {
        window.location.reload();
        return;
      }
      show(state);
    } catch {
      /* The server may be restarting; the next question will tell. */
    }
    window.setTimeout(ask, 1000);
  }

  ask();
})();
