// The 2D scenes as Remotion's own renderer takes them.
import { Composition, registerRoot } from "remotion";
import Canvas from "./canvas";
import Elements from "./elements";
import Features from "./features";
import Gradients from "./gradients";
import Images from "./images";
import Text from "./text";
import Video from "./video";
import WebGl from "./webgl";

const scenes = { text: Text, elements: Elements, gradients: Gradients, images: Images, video: Video, canvas: Canvas, features: Features, webgl: WebGl };

registerRoot(() => (
  <>
    {Object.entries(scenes).map(([id, component]) => (
      <Composition key={id} id={id} component={component} width={1920} height={1080} fps={30} durationInFrames={90} />
    ))}
  </>
));
