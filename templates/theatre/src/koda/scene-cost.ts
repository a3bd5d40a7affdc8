import type { RootState } from "@react-three/fiber";
import { DirectionalLight, Frustum, Matrix4, Mesh, type Object3D, PointLight, ShaderMaterial, SpotLight } from "three";
import type { SceneCost } from "./contract";
import { realNow } from "./wait";

/** Draws the scene as it stands twice, with and without drawing its shadows anew. */
export function sceneCost({ gl, scene, camera }: RootState): SceneCost {
  const context = gl.getContext();
  const drawn = () => {
    const began = realNow();
    gl.render(scene, camera);
    // A frame is drawn when one of its pixels can be read.
    context.readPixels(0, 0, 1, 1, context.RGBA, context.UNSIGNED_BYTE, new Uint8Array(4));
    return realNow() - began;
  };
  const { shadowMap } = gl;
  const anew = shadowMap.enabled && shadowMap.autoUpdate;
  const all = drawn();
  const { triangles, calls } = gl.info.render;
  let alone = all;
  if (anew) {
    shadowMap.autoUpdate = false;
    try {
      alone = Math.min(all, drawn());
    } finally {
      shadowMap.autoUpdate = true;
    }
  }
  const maps: number[] = [];
  let unseen = 0;
  const picture = new Frustum().setFromProjectionMatrix(new Matrix4().multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse));
  scene.traverseVisible((object) => {
    if (anew && isLight(object) && object.castShadow) {
      // A point light looks in six directions.
      for (let side = 0; side < (object instanceof PointLight ? 6 : 1); side++) maps.push(object.shadow.mapSize.width);
    }
    if (object instanceof Mesh && !object.frustumCulled && !placesItself(object) && !picture.intersectsObject(object)) unseen += 1;
  });
  const round = (milliseconds: number) => Math.round(milliseconds * 10) / 10;
  return { milliseconds: round(all), shadows: { milliseconds: round(all - alone), maps }, triangles, calls, unseen };
}

/** A mesh whose shader says where it lies, as of a ground without end: its geometry does not tell. */
const placesItself = ({ material }: Mesh) => [material].flat().some((it) => it instanceof ShaderMaterial);

const isLight = (object: Object3D): object is DirectionalLight | PointLight | SpotLight =>
  object instanceof DirectionalLight || object instanceof PointLight || object instanceof SpotLight;
