/**
 * What Remotion draws by html-in-canvas, which most browsers do not have yet, and which has a paint of the page's own for every frame:
 * films of it are made by Remotion's own renderer. Everywhere else the same is shown without the effect.
 */
import type { TransitionPresentation } from "@remotion/transitions";
import { fade } from "@remotion/transitions/fade";
import { forwardRef, type ComponentProps, type ComponentType, type Ref } from "react";
import { HtmlInCanvas, isHtmlInCanvasSupported, Sequence } from "remotion";
import { capturing, rendererOfRemotion } from "./environment";

/** Whether effects are drawn here. */
export const htmlIsDrawn = rendererOfRemotion || (!capturing && isHtmlInCanvasSupported());

/** Said where the preview's transport looks; and to koda-capture, whose page may be loaded anew before it asks. */
function leaveOut() {
  document.documentElement.dataset.simplified = "";
  if (capturing) sessionStorage.setItem("koda-simplified", "");
}

/** Its children where they would be drawn, in the size that they would have and cut off at it. */
export const HtmlWithoutCanvas = forwardRef((props: ComponentProps<typeof HtmlInCanvas>, ref: Ref<HTMLDivElement>) => {
  leaveOut();
  const { width, height, style, children, effects: _effects, onPaint: _onPaint, onInit: _onInit, pixelDensity: _density, ...others } = props;
  const size = { display: "inline-block", contain: "paint", width, height, ...style };
  return (
    <Sequence {...(others as ComponentProps<typeof Sequence>)} layout="none">
      <div ref={ref} style={size}>
        {children}
      </div>
    </Sequence>
  );
});

const { component: Fade, props: fadeProps } = fade();
const FadeInstead: typeof Fade = (props) => {
  leaveOut();
  return <Fade {...props} passedProps={fadeProps} />;
};

/** A transition that is a fade where it cannot be drawn. */
export function fadeInstead<Props extends Record<string, unknown>, Arguments extends unknown[]>(
  presentation: (...args: Arguments) => TransitionPresentation<Props>,
): (...args: Arguments) => TransitionPresentation<Props> {
  if (htmlIsDrawn) return presentation;
  return (...args) => ({ ...presentation(...args), component: FadeInstead as unknown as TransitionPresentation<Props>["component"] });
}

/** A component without the effects that its children would be drawn with. */
export function withoutEffects<Component>(component: Component): Component {
  if (htmlIsDrawn) return component;
  const Shape = component as ComponentType<object>;
  return function WithoutEffects({ effects, ...others }: { effects?: unknown[] }) {
    if (effects?.length) leaveOut();
    return <Shape {...others} />;
  } as Component;
}
