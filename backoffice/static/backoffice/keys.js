// The keyboard: single keys, the list of them, and the palette that goes to any person or page.
"use strict";
{
  const palette = document.getElementById("palette");

  function open(id) {
    const dialog = document.getElementById(id);
    if (!dialog || document.querySelector("dialog[open]")) return;
    dialog.showModal();
    if (dialog === palette) dialog.dispatchEvent(new Event("opened"));
  }

  // Keys ------------------------------------------------------------------------------------------------------------

  const TYPING = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), select, textarea";

  function search() {
    const box = document.getElementById("searchbar") || document.getElementById("people-search");
    box?.focus();
    box?.select();
    return box;
  }

  // In a list from name to name; on a person's page a link has these keys, and comes first.
  function step(by) {
    const names = [...document.querySelectorAll("#result_list tbody th a")];
    const at = names.indexOf(document.activeElement);
    const next = names[at < 0 ? 0 : at + by];
    next?.focus({ focusVisible: true });
    return next;
  }

  function save() {
    const button = document.querySelector(".submit-row [name=_save]");
    button?.form.requestSubmit(button);
    return button;
  }

  const SINGLE = {
    "/": search,
    j: () => step(1),
    k: () => step(-1),
    "?": () => {
      open("keys");
      return true;
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    if (event.ctrlKey || event.metaKey) {
      const key = event.shiftKey ? "" : event.key.toLowerCase();
      if (key === "s" && save()) event.preventDefault();
      if (key !== "k" || !palette) return;
      event.preventDefault();
      open("palette");
      return;
    }
    if (event.target.closest(TYPING) || event.target.isContentEditable) return;
    const link = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
    if (!link && !SINGLE[event.key]?.()) return;
    event.preventDefault();
    link?.click();
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) open(opener.dataset.opens);
    if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
    // On the veil: a dialog is as large as its window to the browser, and its box is all that is seen of it.
    if (event.target.matches("dialog.dialog[open]:not(.cutter)")) {
      const box = event.target.getBoundingClientRect();
      const beside = event.clientX < box.left || event.clientX > box.right || event.clientY < box.top;
      if (beside || event.clientY > box.bottom) event.target.close();
    }
  });

  if (/Mac|iPhone|iPad/.test(navigator.platform)) {
    for (const key of document.querySelectorAll("[data-command-key]")) key.textContent = "⌘";
  }

  // The palette -----------------------------------------------------------------------------------------------------

  if (palette) {
    const input = palette.querySelector("input");
    const list = palette.querySelector("[role=listbox]");
    const people = palette.querySelector("[data-people]");
    const pages = palette.querySelector("[data-pages]");
    const rest = palette.querySelector(".palette-list > [data-rest]");
    const none = palette.querySelector("[data-none]");
    let asked = null; // what people were last asked for: {text, abort, done}
    let timer = 0;
    let wantsFirst = false; // Enter came before the answer did

    const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    const options = () => [...list.querySelectorAll("[role=option]:not([hidden])")];
    const active = () => list.querySelector("[aria-selected=true]");

    // The sidebar, or the bar of the pages without one, and the menu at the top say where one may go; what they say is not said twice.
    function collect() {
      if (pages.dataset.collected) return;
      pages.dataset.collected = "yes";
      const known = new Set([...pages.children].map((option) => option.dataset.href));
      const sources = "#sidebar a.side-link, .site-bar nav > a, .user-menu .menu-panel a, .user-menu [data-theme-choice]";
      for (const source of document.querySelectorAll(sources)) {
        const href = source.getAttribute("href");
        if (href && known.has(href)) continue;
        const option = document.createElement("div");
        option.setAttribute("role", "option");
        option.id = `page-${pages.children.length}`;
        const icon = source.querySelector("svg")?.cloneNode(true);
        const name = document.createElement("span");
        const group = source.closest("[role=group]")?.getAttribute("aria-label");
        name.textContent = [group, source.textContent.trim()].filter(Boolean).join(": ");
        option.append(...[icon, name].filter(Boolean));
        if (href) option.dataset.href = href;
        else option.dataset.presses = source.dataset.themeChoice;
        pages.append(option);
      }
    }

    function mark(option) {
      active()?.setAttribute("aria-selected", "false");
      option?.setAttribute("aria-selected", "true");
      option?.scrollIntoView({ block: "nearest" });
      if (option) input.setAttribute("aria-activedescendant", option.id);
      else input.removeAttribute("aria-activedescendant");
    }

    function show() {
      const words = fold(input.value).split(/\s+/).filter(Boolean);
      for (const option of pages.children) {
        const text = fold(option.textContent);
        option.hidden = !words.every((word) => text.includes(word));
      }
      people.hidden = !people.children.length;
      rest.hidden = !rest.children.length;
      pages.hidden = ![...pages.children].some((option) => !option.hidden);
      const found = options();
      none.hidden = found.length > 0 || Boolean(asked && !asked.done);
      list.hidden = !found.length;
      input.setAttribute("aria-expanded", String(found.length > 0));
      mark(found[0]);
    }

    function forget() {
      people.replaceChildren();
      rest.replaceChildren();
    }

    async function ask(text) {
      const mine = { text, abort: new AbortController(), done: false };
      asked = mine;
      try {
        const address = `${palette.dataset.find}?q=${encodeURIComponent(text)}`;
        const answer = await fetch(address, { signal: mine.abort.signal, redirect: "error" });
        if (!answer.ok) throw new Error(String(answer.status));
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (asked !== mine) return;
        const found = [...page.body.children].map((option) => document.adoptNode(option));
        people.replaceChildren(...found.filter((option) => !option.matches("[data-rest]")));
        rest.replaceChildren(...found.filter((option) => option.matches("[data-rest]")));
      } catch {
        if (asked !== mine) return;
        forget(); // signed out, or the server is away: the pages are still there
      }
      mine.done = true;
      show();
      if (wantsFirst) go(active());
    }

    function typed() {
      clearTimeout(timer);
      asked?.abort.abort();
      asked = null;
      wantsFirst = false;
      const text = input.value.trim();
      if (palette.dataset.find && text.length >= 2) {
        asked = { text, abort: new AbortController(), done: false };
        timer = setTimeout(ask, 120, text);
      } else {
        forget();
      }
      show();
    }

    function go(option) {
      wantsFirst = false;
      if (!option) return;
      palette.close();
      if (option.dataset.href) location.assign(option.dataset.href);
      else document.querySelector(`[data-theme-choice="${option.dataset.presses}"]`).click();
    }

    function step(by) {
      const found = options();
      if (found.length) mark(found.at((found.indexOf(active()) + by) % found.length));
    }

    const MOVES = {
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      Enter: () => {
        if (asked && !asked.done) wantsFirst = true;
        else go(active());
      },
    };

    input.addEventListener("input", typed);
    input.addEventListener("keydown", (event) => {
      if (!MOVES[event.key] || event.isComposing) return;
      event.preventDefault();
      MOVES[event.key]();
    });
    list.addEventListener("mousemove", (event) => {
      const option = event.target.closest("[role=option]");
      if (option && option !== active()) mark(option);
    });
    list.addEventListener("click", (event) => go(event.target.closest("[role=option]")));
    palette.addEventListener("opened", () => {
      collect();
      input.value = "";
      typed();
      input.focus();
    });
  }
}
