import { Player } from "@remotion/player";
import { createRoot } from "react-dom/client";
import Composition from "./Composition";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <Player component={Composition} durationInFrames={90} fps={30} compositionWidth={1920} compositionHeight={1080} style={{ width: "100%" }} autoPlay loop />,
  );
}
