// Where a browser lets a page see into its frames (not from file://), each is as high as its explorer
// and has the page's colours; elsewhere they are as high as was said, and follow the system.
const system = matchMedia("(prefers-color-scheme: dark)");
const grounds = { "--ground": "background-primary", "--ink": "foreground-primary", "--muted": "foreground-muted" };

function colour(inner) {
  const { theme } = document.body.dataset;
  const dark = theme === "dark" || (theme !== "light" && system.matches);
  const here = getComputedStyle(document.body);
  for (const [name, ours] of Object.entries(grounds))
    inner.documentElement.style.setProperty(name, here.getPropertyValue(`--color-${ours}`));
  inner.documentElement.style.colorScheme = dark ? "dark" : "light";
  inner.body.classList.toggle("dark", dark);
  inner.body.classList.toggle("light", !dark);
}

function follow(frame) {
  const inner = frame.contentDocument;
  if (!inner?.body || inner.URL === "about:blank") return;
  const fit = () => {
    frame.style.height = `${inner.body.scrollHeight + 4}px`;
  };
  new ResizeObserver(fit).observe(inner.body);
  new MutationObserver(() => colour(inner)).observe(document.body, { attributeFilter: ["data-theme"] });
  system.addEventListener("change", () => colour(inner));
  colour(inner);
}

for (const frame of document.querySelectorAll("iframe.live")) {
  frame.addEventListener("load", () => follow(frame));
  if (frame.contentDocument?.readyState === "complete") follow(frame);
}
