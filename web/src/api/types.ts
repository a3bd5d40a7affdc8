/** Shapes of the HTTP contract, from the generated schema: `npm run api` makes it anew. */

import type { components } from "./schema";

type Schemas = components["schemas"];

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/**
 * What the server tells. The contract calls fields optional that may be `null`; in answers they are always
 * there. Three shapes are left alone, since in them a missing field means something.
 */
type Told<T> = T extends unknown
  ? Same<T, Schemas["SettingsPatch"]> extends true
    ? SettingsPatch
    : Same<T, Schemas["Node"]> extends true
      ? Node
      : Same<T, Schemas["Usage"]> extends true
        ? Usage
        : T extends readonly (infer Item)[]
          ? Told<Item>[]
          : T extends object
            ? { [Key in keyof T]-?: Told<T[Key]> }
            : T
  : never;

/** A node of a canvas. `data` by kind: `{session_id}`, `{text}` (and `{color}` of a note), `{asset_id}`. */
export type Node = Pick<Schemas["Node"], "id" | "type" | "x" | "y"> & {
  width?: number;
  height?: number;
  data: Record<string, unknown>;
};

/** Changes to settings; what is left out stays, `null` gives the choice back to the agent. */
export type SettingsPatch = Partial<Schemas["SettingsPatch"]>;

export type Project = Told<Schemas["Project"]>;
export type ProjectSummary = Told<Schemas["ProjectSummary"]>;
export type Document = Told<Schemas["Document"]>;
export type Edge = Schemas["Edge"];
export type NodeKind = Schemas["NodeKind"];
export type Viewport = Schemas["Viewport"];

export type Asset = Told<Schemas["Asset"]>;
export type AssetKind = Schemas["AssetKind"];
export type AssetRole = Schemas["AssetRole"];
/** Where and how announced bytes are sent. */
export type Upload = Schemas["Upload"];

export type Engine = Schemas["Engine"];
export type Aspect = Schemas["Aspect"];
export type Resolution = Schemas["Resolution"];
export type Fps = Schemas["Fps"];
export type Colors = Told<Schemas["Colors"]>;
export type Fonts = Told<Schemas["Fonts"]>;
export type Settings = Told<Schemas["Settings"]>;

export type Timing = Told<Schemas["Timing"]>;
/** Changes by hand; what is left out stays. */
export type DesignPatch = Partial<Omit<Schemas["DesignPatch"], "colors" | "fonts">> & {
  colors?: Partial<Schemas["Colors"]>;
  fonts?: Partial<Schemas["Fonts"]>;
};
export type Design = Told<Schemas["Design"]>;
export type EditableDesign = Told<Schemas["EditableDesign"]>;

export type Plan = Told<Schemas["Plan"]>;
export type Scene = Schemas["Scene"];
/** Tokens and money; the server leaves out `unpriced_tokens` where every token has a price. */
export type Usage = Omit<Schemas["Usage"], "unpriced_tokens"> & { unpriced_tokens?: number };
export type ModelLabel = Schemas["ModelLabel"];
export type ModelAnswer = Told<Schemas["ModelAnswer"]>;
export type Content = Told<Schemas["Content"]>;
export type ToolCall = Schemas["ToolCall"];
export type ToolOutput = Schemas["ToolOutput"];

export type Diagnostic = Told<Schemas["Diagnostic"]>;
export type CheckReport = Told<Schemas["CheckReport"]>;

export type FileEntry = Schemas["FileEntry"];
export type Files = Schemas["Files"];
export type Version = Told<Schemas["Version"]>;
export type VersionSummary = Told<Schemas["VersionSummary"]>;
export type VersionDiff = Told<Schemas["Diff"]>;

export type Size = Schemas["Size"];
export type RenderFormat = Schemas["Format"];
export type RenderQuality = Schemas["Quality"];
export type RenderStatus = Schemas["RenderStatus"];
export type RenderSpec = Told<Schemas["RenderSpec"]>;
export type RenderProgress = Told<Schemas["RenderProgress"]>;
export type RenderOutput = Told<Schemas["RenderOutput"]>;
export type RenderFailure = Told<Schemas["RenderFailure"]>;
export type Render = Told<Schemas["Render"]>;

export type TurnInput = Schemas["TurnInput"];
export type TurnOutcome = Told<Schemas["TurnOutcome"]>;
export type TurnState = Told<Schemas["TurnState"]>;
export type SandboxStatus = Schemas["SandboxStatus"];
export type Todo = Schemas["Todo"];
export type Question = Told<Schemas["Question"]>;
export type QuestionField = Told<Schemas["QuestionField"]>;
export type Actor = Schemas["Actor"];
export type Phase = Schemas["Phase"];

export type EventBody = Told<Schemas["EventBody"]>;
/** One entry of a session's log; `seq` counts from 1 without gaps. */
export type SessionEvent = Told<Schemas["Event"]>;
export type SessionState = Told<Schemas["SessionState"]>;
export type Session = Told<Schemas["Session"]>;

export type ProviderInfo = Schemas["ProviderInfo"];
export type Example = Schemas["Example"];
export type Config = Told<Schemas["PublicConfig"]>;
/** Where a preview is: a page on an origin of its own. */
export type PreviewTicket = Told<Schemas["Preview"]>;
