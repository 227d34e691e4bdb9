// Light or dark: what the person chose, else what the system says. Loaded before the page is drawn, so nothing flashes.
"use strict";
{
  const KEY = "theme-mode";
  const root = document.documentElement;
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

  // Storage can be switched off altogether; the choice then lasts for the page.
  let chosen = "system";

  function read() {
    try {
      chosen = localStorage.getItem(KEY) || "system";
    } catch {
      // keep what we have
    }
  }

  function show() {
    const dark = chosen === "dark" || (chosen !== "light" && systemIsDark.matches);
    root.dataset.bsTheme = dark ? "dark" : "light";
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosen));
    }
  }

  function choose(mode) {
    chosen = mode;
    try {
      localStorage.setItem(KEY, mode);
    } catch {
      // not kept
    }
    show();
  }

  read();
  show();
  systemIsDark.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", show);
  addEventListener("storage", () => {
    read();
    show();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (button) choose(button.dataset.themeChoice);
  });
}
