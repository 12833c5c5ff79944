// A button beside each text that is there to be copied. Without JavaScript the text is there all the same.
(() => {
  "use strict";
  for (const area of document.querySelectorAll("textarea[data-copy]")) {
    const button = document.createElement("button");
    const said = document.createElement("span");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy the code of " + document.getElementById(area.getAttribute("aria-labelledby")).textContent.toLowerCase());
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      said.textContent = "";
      try {
        await navigator.clipboard.writeText(area.value);
        said.textContent = " Copied.";
      } catch { // not over plain HTTP, or not allowed
        area.focus();
        area.select();
        said.textContent = " It is marked: copy it with Ctrl-C or ⌘C.";
      }
    });
    area.addEventListener("focus", () => area.select());
    const row = document.createElement("p");
    row.append(button, said);
    area.after(row);
  }
})();
