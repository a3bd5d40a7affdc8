//! Events: every fact of a session, in the order in which it happened.

use crate::{
    AssetId, BlobId, MessageId, ProjectId, RenderId, SandboxId, SessionId, Settings, TurnId,
    VersionId, WorkPath,
    message::{ToolCall, ToolOutput, Usage},
    model::{ModelAnswer, ModelLabel},
    plan::Plan,
    render::{Render, RenderFailure, RenderOutput, RenderProgress},
    report::{CheckReport, Diagnostic},
    version::{FileEntry, Files, Version},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One entry of a session's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its place in the session's log; the first is 1, and there is no gap.
    pub seq: u64,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Which session.
    pub session_id: SessionId,
    /// Which turn, where it belongs to one.
    pub turn_id: Option<TurnId>,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    /// The session began.
    SessionCreated {
        /// The canvas that it is on.
        project_id: ProjectId,
        /// The node that shows it.
        node_id: String,
        /// What it began with.
        settings: Settings,
    },
    /// Settings are now these.
    SettingsChanged {
        /// All of them.
        settings: Settings,
        /// Who changed them.
        by: Actor,
    },
    /// A person said something; it waits until a turn takes it.
    MessagePosted {
        /// Its name.
        message_id: MessageId,
        /// As typed.
        text: String,
        /// Assets given with it.
        attachments: Vec<AssetId>,
        /// Words from connected text nodes.
        context: Vec<String>,
        /// The client's idempotency key.
        key: Option<String>,
    },
    /// The agent began to work on something that waited.
    TurnStarted {
        /// What it answers.
        input: TurnInput,
    },
    /// Another worker carries on a turn whose worker died.
    TurnResumed {
        /// 2 for the first resumption.
        attempt: u32,
    },
    /// A model call began. The same step again means that what was said of it before is void.
    ModelStarted {
        /// From 1 within the turn.
        step: u32,
        /// Who answers.
        model: ModelLabel,
    },
    /// A piece of the model's answer.
    TextDelta {
        /// Of the model call.
        step: u32,
        /// UTF-8.
        text: String,
    },
    /// A piece of the model's reasoning.
    ThinkingDelta {
        /// Of the model call.
        step: u32,
        /// UTF-8.
        text: String,
    },
    /// A model call is over: a checkpoint. Its text was told in deltas already.
    ModelFinished {
        /// From 1 within the turn.
        step: u32,
        /// The whole answer.
        answer: ModelAnswer,
        /// How long it took.
        seconds: f64,
    },
    /// A tool's own model call is over: what the code generator used.
    GeneratorFinished {
        /// Who answered.
        model: String,
        /// Tokens and money.
        usage: Usage,
        /// How long it took.
        seconds: f64,
    },
    /// A tool began.
    ToolStarted {
        /// What the model asked for.
        call: ToolCall,
        /// A line for people, such as `Writing src/Composition.tsx`.
        title: String,
    },
    /// A tool ended: a checkpoint.
    ToolFinished {
        /// Which call.
        call_id: String,
        /// Which tool.
        name: String,
        /// Whether it refused or failed.
        is_error: bool,
        /// What the model is told.
        output: Vec<ToolOutput>,
        /// A line for people.
        summary: String,
        /// How long it took.
        seconds: f64,
    },
    /// The server told the model something, such as what a check found.
    ModelTold {
        /// UTF-8.
        text: String,
        /// What the check saw, as a PNG.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        picture: Option<BlobId>,
        /// Where the check passed and found something all the same: what, by its signature. Empty where an error is to be mended.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        noted: Vec<String>,
    },
    /// The agent needs to know something before it can plan.
    QuestionAsked {
        /// What it asks.
        question: Question,
    },
    /// The agent proposes a plan; nothing is built before it is approved.
    PlanProposed {
        /// The plan.
        plan: Plan,
        /// Its hash, which the approval must name.
        hash: String,
    },
    /// The plan may be built.
    PlanApproved {
        /// As approved, edits included.
        plan: Plan,
        /// Its hash.
        hash: String,
        /// Who approved.
        by: Actor,
    },
    /// The plan will not be built.
    PlanRejected {
        /// Its hash.
        hash: String,
        /// Why, where the person said so.
        reason: Option<String>,
    },
    /// The agent's list of things to do is now this.
    TodosUpdated {
        /// In order.
        todos: Vec<Todo>,
    },
    /// A file has new content.
    FileWritten {
        /// Which file.
        path: WorkPath,
        /// Its content.
        entry: FileEntry,
    },
    /// A file is gone.
    FileDeleted {
        /// Which file.
        path: WorkPath,
    },
    /// A person changed words, colours, fonts or numbers of the design by hand: `src/design.ts` has new content, of which a turn
    /// without a model makes a version.
    DesignEdited {
        /// The file's content.
        entry: FileEntry,
    },
    /// The working files are now those of a version: it was restored, or the agent's changes were taken back.
    FilesRestored {
        /// Which version.
        version_id: VersionId,
        /// Its files.
        files: Files,
        /// Its settings.
        settings: Settings,
    },
    /// The animation has another name.
    TitleChanged {
        /// Its name.
        title: String,
    },
    /// A check began.
    CheckStarted {},
    /// A check is over.
    CheckFinished {
        /// What it found.
        report: CheckReport,
        /// The files that were checked.
        digest: BlobId,
        /// The contact sheet, where one was made.
        sheet: Option<BlobId>,
    },
    /// A sandbox came or went.
    SandboxChanged {
        /// Where it stands.
        status: SandboxStatus,
        /// Its name, while there is one.
        sandbox_id: Option<SandboxId>,
        /// Which provider.
        provider: String,
        /// How long starting took.
        seconds: Option<f64>,
    },
    /// A version was made.
    VersionCreated {
        /// The version.
        version: Version,
    },
    /// A render waits.
    RenderQueued {
        /// The job.
        render: Render,
    },
    /// A render works.
    RenderStarted {
        /// Which.
        render_id: RenderId,
        /// 1 for the first try.
        attempt: u32,
    },
    /// Other sandboxes draw a share of a render each.
    RenderShared {
        /// Which.
        render_id: RenderId,
        /// The sandboxes.
        sandboxes: Vec<SandboxId>,
    },
    /// A render is this far.
    RenderProgressed {
        /// Which.
        render_id: RenderId,
        /// How far.
        progress: RenderProgress,
    },
    /// A render has an output.
    RenderReady {
        /// Which.
        render_id: RenderId,
        /// What came out.
        output: RenderOutput,
    },
    /// A render has none.
    RenderFailed {
        /// Which.
        render_id: RenderId,
        /// Why.
        failure: RenderFailure,
    },
    /// Somebody wants a render to end.
    RenderCancelRequested {
        /// Which.
        render_id: RenderId,
    },
    /// A render was cancelled.
    RenderCancelled {
        /// Which.
        render_id: RenderId,
    },
    /// A render and its output were removed.
    RenderDeleted {
        /// Which.
        render_id: RenderId,
    },
    /// Somebody wants the running turn to end.
    StopRequested {},
    /// The turn is over; nothing of it is open any more.
    TurnFinished {
        /// How it ended.
        outcome: TurnOutcome,
    },
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A person.
    Person,
    /// The agent.
    Agent,
    /// A setting, without asking.
    Auto,
}

/// What a turn answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TurnInput {
    /// A person's message.
    Message {
        /// Which.
        message_id: MessageId,
    },
    /// An approved plan.
    Plan {
        /// Its hash.
        hash: String,
    },
    /// Settings or a design that a person changed after something was built: a version is made of them without a model.
    Settings {},
}

/// Where a session's sandbox stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SandboxStatus {
    /// Being made.
    Starting,
    /// Lives, filled, and its preview answers.
    Ready,
    /// Ended by the idle policy; made again when needed.
    Asleep,
    /// Vanished; made again when needed.
    Lost,
    /// Could not be made.
    Failed,
}

/// A thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Todo {
    /// A few words.
    pub label: String,
    /// Where it stands.
    pub status: TodoStatus,
}

/// Where a todo stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TodoStatus {
    /// Not begun.
    Pending,
    /// Under way.
    Active,
    /// Done.
    Done,
}

/// A form of up to three questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Why it is asked, in a sentence.
    pub intro: String,
    /// One to three.
    pub fields: Vec<QuestionField>,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionField {
    /// Unique in the form.
    pub id: String,
    /// The question.
    pub label: String,
    /// How it is answered.
    pub kind: QuestionKind,
    /// What can be chosen.
    #[serde(default)]
    pub options: Vec<String>,
}

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// In words.
    Text,
    /// By one option.
    Choice,
    /// By any number of options.
    MultipleChoice,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TurnOutcome {
    /// A version was made that passed the check.
    Ready {
        /// Which.
        version_id: VersionId,
    },
    /// The agent answered without changing anything.
    Answered,
    /// A plan waits for approval.
    AwaitingPlan,
    /// A question waits for an answer.
    AwaitingAnswer,
    /// A person stopped it.
    Stopped,
    /// The changes did not pass the check after all repairs; the last good version is back.
    CheckFailed {
        /// What is wrong.
        diagnostic: Diagnostic,
        /// How many repairs were tried.
        repairs: u32,
        /// What is shown instead, where there is one.
        version_id: Option<VersionId>,
    },
    /// It used up its budget.
    BudgetExhausted {
        /// `steps`, `tokens`, `seconds` or `money` of the turn, or `session_money`.
        what: String,
    },
    /// It could not go on.
    Failed {
        /// A closed word.
        code: String,
        /// What happened and what to do, as a sentence.
        message: String,
    },
}
