// What the two interactive figures share: elements, announcements, and appearing only when all is there.
"use strict";

globalThis.component = (() => {
  const folder = new URL(".", document.currentScript.src);

  /** An element with properties and children; names with a hyphen, and `role`, are attributes. */
  function element(tag, properties = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name.includes("-") || name === "role") made.setAttribute(name, value);
      else made[name] = value;
    }
    made.append(...children);
    return made;
  }

  /** Make `region`, a live region, say the last of the texts that come within a short while. */
  function announcer(region) {
    let timer;
    return (text) => {
      clearTimeout(timer);
      timer = setTimeout(() => (region.textContent = text), 300);
    };
  }

  /**
   * Fill the host's shadow tree with `html` and return it.
   *
   * The host's own content, a static figure, stays in view until the style has been loaded, and returns in print.
   */
  function shadow(host, html) {
    const root = host.attachShadow({ mode: "open" });
    const template = element("template", { innerHTML: html });
    const style = element("link", { rel: "stylesheet", href: new URL("components.css", folder).href });
    style.addEventListener("load", () => host.classList.add("ready"));
    const tints = new CSSStyleSheet();
    for (const [name, { colour }] of Object.entries(globalThis.explorerData.normalizations)) {
      tints.insertRule(`.${name}, [data-normalization="${name}"] { --tint: ${colour}; }`);
    }
    root.adoptedStyleSheets = [tints];
    root.append(style, template.content, element("slot"));
    return root;
  }

  return Object.freeze({ element, announcer, shadow });
})();
