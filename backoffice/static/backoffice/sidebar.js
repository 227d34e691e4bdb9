// Whether the sidebar is wide or only icons; kept, and known before the page is drawn.
"use strict";
{
  const KEY = "sidebar";
  const root = document.documentElement;

  function label() {
    const narrow = root.dataset.sidebar === "narrow";
    for (const button of document.querySelectorAll("[data-sidebar-toggle]")) {
      button.setAttribute("aria-expanded", String(!narrow));
    }
  }

  try {
    root.dataset.sidebar = localStorage.getItem(KEY) || "wide";
  } catch {
    root.dataset.sidebar = "wide";
  }
  document.addEventListener("DOMContentLoaded", label);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-sidebar-toggle]")) return;
    root.dataset.sidebar = root.dataset.sidebar === "narrow" ? "wide" : "narrow";
    label();
    try {
      localStorage.setItem(KEY, root.dataset.sidebar);
    } catch {
      // not kept
    }
  });
}
