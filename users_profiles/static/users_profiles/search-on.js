/* Follows the link to the next rows by itself, as long as nothing has been found. */
(function () {
  "use strict";
  const link = document.querySelector("a[data-searches-on]");
  // In place of this page: the way back leads out of the search, and not through every part of it.
  if (link) window.location.replace(link.href);
})();
