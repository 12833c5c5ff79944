// The sign-up form of Broadsheet as an element:
//   <script src="https://letters.example.org/embed.js" async></script>
//   <broadsheet-signup newsletter="daily-news"></broadsheet-signup>
// What stands inside it, such as a plain form, is shown until this has drawn its own, and stays if it
// cannot. It needs script-src and connect-src for the service's site, and no style of its own in the page.
(() => {
  "use strict";
  if (customElements.get("broadsheet-signup")) return;
  const script = document.currentScript;
  const home = script ? new URL(".", script.src) : null;

  const look = new CSSStyleSheet();
  look.replaceSync(`
    :host { display: block; container-type: inline-size; font: inherit; color: inherit; --_accent: var(--broadsheet-accent, #9b1c1f); --_ink: var(--broadsheet-button-ink, #fff); --_line: var(--broadsheet-line, color-mix(in srgb, currentColor 45%, transparent)); --_radius: var(--broadsheet-radius, 4px); --_wrong: var(--broadsheet-wrong, #b00020); }
    :host([hidden]) { display: none; }
    @media (prefers-color-scheme: dark) { :host { --_wrong: var(--broadsheet-wrong, #ff8a80); --_accent: var(--broadsheet-accent, #ff9d94); --_ink: var(--broadsheet-button-ink, #111); } }
    * { box-sizing: border-box; }
    form, .done { display: grid; gap: .75em; margin: 0; }
    .row { display: flex; flex-wrap: wrap; gap: .5em; align-items: end; }
    .field { flex: 1 1 14em; display: grid; gap: .25em; min-width: 0; }
    label, legend { font-weight: 600; padding: 0; }
    input[type=email], select { font: inherit; color: inherit; width: 100%; min-height: 44px; padding: .5em .7em; border: 1.5px solid var(--_line); border-radius: var(--_radius); background: var(--broadsheet-field, transparent); }
    button { font: inherit; font-weight: 600; min-height: 44px; padding: .5em 1.4em; border: 1.5px solid var(--_accent); border-radius: var(--_radius); background: var(--_accent); color: var(--_ink); cursor: pointer; }
    button[aria-disabled=true] { opacity: .6; cursor: progress; }
    :focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
    [aria-invalid=true] { border-color: var(--_wrong) !important; }
    .wrong { color: var(--_wrong); font-weight: 600; margin: 0; }
    fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
    .choices { display: flex; flex-wrap: wrap; gap: .25em 1em; margin-top: .25em; }
    .choices label { display: inline-flex; gap: .4em; align-items: center; min-height: 44px; font-weight: 400; }
    .choices input { width: 1.25em; height: 1.25em; margin: 0; accent-color: var(--_accent); }
    .small { font-size: .85em; margin: 0; overflow-wrap: anywhere; }
    .small a { color: inherit; }
    h2 { font-size: 1.15em; margin: 0; }
    h2:focus { outline: none; }
    dl { margin: 0; display: grid; gap: .25em; }
    dl div { display: flex; flex-wrap: wrap; gap: 0 .5em; }
    dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
    .trap { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    p[role=status]:empty { display: none; }
    @media (forced-colors: active) { button { forced-color-adjust: none; background: ButtonText; color: ButtonFace; border-color: ButtonText; } }
  `);

  // make returns an element with attributes and what is in it; words are put in as text, never as markup.
  const make = (tag, attributes = {}, ...inside) => {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) e.setAttribute(name, "");
      else if (value !== false && value != null) e.setAttribute(name, value);
    }
    e.append(...inside.filter((x) => x != null));
    return e;
  };
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  class Signup extends HTMLElement {
    connectedCallback() {
      if (this.begun) return;
      this.begun = true;
      this.draw().catch(() => {}); // what stands inside the element is shown
    }

    get home() { return this.getAttribute("src") ? new URL(".", this.getAttribute("src")) : home; }
    get lang_() { return this.getAttribute("lang") || this.closest("[lang]")?.getAttribute("lang") || ""; }
    get section() {
      return this.getAttribute("section") || document.querySelector('meta[property="article:section"]')?.content || "";
    }
    get page() {
      const canonical = document.querySelector('link[rel="canonical"]')?.href || location.href;
      return /^https?:/.test(canonical) ? canonical.replace(/[?#].*$/, "") : "";
    }

    async draw() {
      const query = new URLSearchParams({ lang: this.lang_, section: this.section });
      const answer = await fetch(new URL(`embed/${encodeURIComponent(this.getAttribute("newsletter"))}/form.json?${query}`, this.home), { credentials: "omit" });
      if (!answer.ok) return;
      const it = (this.it = await answer.json());
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [look];
      const t = it.words;
      this.email = make("input", { type: "email", id: "email", name: "email", part: "input", required: true, maxlength: 320, autocomplete: "email", autocapitalize: "none", spellcheck: "false" });
      this.problem = make("p", { class: "wrong", id: "problem", part: "problem" });
      this.problem.hidden = true;
      this.button = make("button", { part: "button" }, t.sign_up_button);
      this.status = make("p", { role: "status", class: "small", part: "status" });
      const choose = (name, type, legend, list) => make("fieldset", { part: "choices" }, make("legend", {}, legend), make("div", { class: "choices" },
        ...list.map((c) => make("label", {}, make("input", { type, name, value: c.value, checked: c.chosen }), make("span", { lang: c.lang }, c.name)))));
      this.form = make("form", { part: "form", novalidate: true },
        make("div", { class: "row" }, make("div", { class: "field" }, make("label", { for: "email", part: "label" }, t.email), this.email), this.button),
        this.problem,
        it.cadences.length > 1 ? choose("cadence", "radio", t.how_often, it.cadences) : null,
        it.sections.length ? choose("section", "checkbox", t.what_about, it.sections) : null,
        make("div", { class: "trap", "aria-hidden": "true" }, make("label", {}, t.leave_empty, make("input", { name: "website", tabindex: "-1", autocomplete: "off" }))),
        this.status,
        make("p", { class: "small", part: "consent" }, it.consent, " ", it.privacy ? make("a", { href: it.privacy, target: "_blank", rel: "noopener" }, t.privacy) : null),
        make("p", { class: "small", part: "once" }, t.sign_up_once));
      this.form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
      root.append(make("div", { lang: it.lang, dir: it.dir }, this.form));
    }

    say(wrong, status) {
      this.problem.textContent = wrong || "";
      this.problem.hidden = !wrong;
      this.status.textContent = status || "";
      for (const [name, value] of [["aria-invalid", "true"], ["aria-describedby", "problem"]]) {
        if (wrong) this.email.setAttribute(name, value);
        else this.email.removeAttribute(name);
      }
      if (wrong) this.email.focus();
    }

    async send() {
      if (this.busy) return;
      const t = this.it.words;
      if (!this.email.value.trim()) return this.say(t.problem_email);
      this.busy = true;
      this.button.setAttribute("aria-disabled", "true");
      this.say("", t.sending);
      try {
        await this.post(t);
      } catch {
        this.say("", navigator.onLine === false ? t.offline : t.unreachable);
      }
      this.busy = false;
      this.button.removeAttribute("aria-disabled");
    }

    async post(t) {
      const body = new URLSearchParams(new FormData(this.form));
      body.set("newsletter", this.getAttribute("newsletter"));
      body.set("page", this.page);
      body.set("placement", this.getAttribute("placement") || "");
      try { body.set("time_zone", Intl.DateTimeFormat().resolvedOptions().timeZone || ""); } catch { /* it is not known */ }
      for (let again = 0; ; again++) {
        const answer = await fetch(new URL(`subscribe?lang=${encodeURIComponent(this.it.lang)}`, this.home),
          { method: "POST", body, credentials: "omit", headers: { Accept: "application/json" } });
        if (answer.status === 503 && again < 3) { // everybody signs up at this moment
          this.say("", t.busy);
          await wait(1000 * (Number(answer.headers.get("Retry-After")) || 5) * (0.5 + Math.random()));
          continue;
        }
        const said = await answer.json();
        if (answer.ok) return this.done(said, t);
        const field = said.errors?.find((e) => e.field === "email");
        if (field) return this.say(field.message);
        return this.say("", said.errors?.[0]?.message || said.detail);
      }
    }

    done(said, t) {
      const heading = make("h2", { tabindex: "-1" }, t.check_inbox);
      this.form.replaceWith(make("div", { class: "done", part: "done" }, heading, make("p", { class: "small" }, t.check_inbox_step),
        make("dl", {}, make("div", {}, make("dt", {}, t.from), make("dd", {}, said.from)), make("div", {}, make("dt", {}, t.subject), make("dd", {}, said.subject)))));
      heading.focus();
      this.dispatchEvent(new CustomEvent("broadsheet-signup", { bubbles: true, composed: true }));
    }
  }
  customElements.define("broadsheet-signup", Signup);
})();
