// Runs before the first paint so that the page never flashes in the other theme.
(() => {
  let choice = "system";
  try {
    choice = localStorage.getItem("koda.theme") ?? "system";
  } catch {
    // Storage is off: follow the system.
  }
  const dark =
    choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
