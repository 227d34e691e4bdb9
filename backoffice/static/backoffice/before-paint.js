// What must be known before the page is drawn, so that nothing flashes or jumps: whether it is light or dark, and
// whether the sidebar is wide or only icons. One small file, because the page waits for it.
"use strict";
{
  const root = document.documentElement;
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
  // Storage can be switched off altogether; a choice then lasts for the page.
  const chosen = { "theme-mode": "system", sidebar: "wide" };

  function read(key) {
    try {
      chosen[key] = localStorage.getItem(key) || chosen[key];
    } catch {
      // keep what we have
    }
  }

  function choose(key, value) {
    chosen[key] = value;
    try {
      localStorage.setItem(key, value);
    } catch {
      // not kept
    }
    show();
  }

  function show() {
    const mode = chosen["theme-mode"];
    root.dataset.bsTheme = mode === "dark" || (mode !== "light" && systemIsDark.matches) ? "dark" : "light";
    root.dataset.sidebar = chosen.sidebar;
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === mode));
    }
    for (const button of document.querySelectorAll("[data-sidebar-toggle]")) {
      button.setAttribute("aria-expanded", String(chosen.sidebar !== "narrow"));
    }
  }

  read("theme-mode");
  read("sidebar");
  show();
  systemIsDark.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", show);
  addEventListener("storage", () => {
    read("theme-mode"); // chosen in another tab; each keeps its own sidebar
    show();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (button) choose("theme-mode", button.dataset.themeChoice);
    if (event.target.closest("[data-sidebar-toggle]")) choose("sidebar", chosen.sidebar === "narrow" ? "wide" : "narrow");
  });
}
