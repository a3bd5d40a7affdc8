import type { Fault } from "./contract";

let card: HTMLElement | null = null;

/** Shows what is wrong over the picture, or takes it away where nothing is. */
export function showCard(fault: Fault | null): void {
  card?.remove();
  card = null;
  if (!fault?.message) return;
  card = document.createElement("div");
  card.setAttribute("role", "alert");
  card.dataset.kodaCard = "";
  Object.assign(card.style, {
    position: "fixed",
    inset: "0",
    display: "grid",
    placeItems: "center",
    padding: "24px",
    background: "rgba(8, 10, 16, 0.72)",
    color: "#f4f5f8",
    font: "15px/1.5 system-ui, sans-serif",
    zIndex: "10",
  });
  const panel = document.createElement("div");
  Object.assign(panel.style, {
    maxWidth: "min(640px, 100%)",
    maxHeight: "100%",
    overflow: "auto",
    boxSizing: "border-box",
    padding: "20px 24px",
    borderRadius: "14px",
    background: "#171a23",
    borderLeft: "4px solid #ff6b6b",
    boxShadow: "0 24px 60px rgba(0, 0, 0, 0.5)",
  });
  const heading = document.createElement("div");
  heading.textContent = "This composition does not run yet";
  Object.assign(heading.style, { fontWeight: "650", marginBottom: "8px" });
  const message = document.createElement("pre");
  message.textContent = fault.message;
  Object.assign(message.style, {
    margin: "0",
    whiteSpace: "pre-wrap",
    overflowWrap: "anywhere",
    font: "13px/1.55 ui-monospace, monospace",
    color: "#ffc9c9",
  });
  panel.append(heading, message);
  if (fault.file) {
    const place = document.createElement("div");
    place.textContent = [fault.file, fault.line, fault.column].filter((part) => part !== null).join(":");
    Object.assign(place.style, { marginTop: "10px", font: "13px ui-monospace, monospace", color: "#9aa3b5" });
    panel.append(place);
  }
  card.append(panel);
  document.body.append(card);
}
