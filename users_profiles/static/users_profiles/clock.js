// Says at the sign-in on whose clock somebody lives, who has not chosen one: see accounts/clock.py.
"use strict";
{
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const secure = location.protocol === "https:" ? "; secure" : "";
  if (zone) document.cookie = `time_zone=${zone}; path=/; samesite=lax${secure}`;
}
