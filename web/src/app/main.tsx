import "@fontsource-variable/geist";
import "@fontsource-variable/geist-mono";
import "../theme.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { watchTheme } from "../store/ui";
import { App } from "./App";

watchTheme();

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
