//! What a first message comes to.

use super::studio::Studio;
use crate::demo::color::{READABLE, Rgb};
use koda_domain::plan::Plan;

/// What is expected of a plan; what is left out does not matter.
#[derive(Default)]
struct Want {
    recipe: &'static str,
    title: Option<&'static str>,
    subtitle: Option<&'static str>,
    lines: Option<&'static [&'static str]>,
    data: Option<&'static [(&'static str, f64)]>,
    seconds: Option<f64>,
    aspect: Option<&'static str>,
    fps: Option<u32>,
    resolution: Option<&'static str>,
    background: Option<&'static str>,
    primary: Option<&'static str>,
    accent: Option<&'static str>,
    text: Option<&'static str>,
    font: Option<&'static str>,
}

const KINETIC: &str = "kinetic-typography";
const LOGO: &str = "logo-reveal";
const CHART: &str = "animated-chart";
const PARTICLES: &str = "particles";
const CARD: &str = "title-card";
const TURNTABLE: &str = "product-turntable";
const TITLE_3D: &str = "title-3d";

macro_rules! want {
    ($recipe:expr $(, $field:ident: $value:expr)* $(,)?) => {
        Want { recipe: $recipe, $($field: Some($value),)* ..Want::default() }
    };
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn table() -> Vec<(&'static str, Want)> {
    vec![
        (
            "Kinetic typography: 'Move fast'",
            want!(KINETIC, title: "Move fast", subtitle: ""),
        ),
        ("reveal our logo for Acme", want!(LOGO, title: "Acme")),
        (
            "A 3D product turntable of a perfume bottle called Noir, gold on dark, 4 seconds",
            want!(TURNTABLE, title: "Noir", seconds: 4.0, primary: "#d4a72c"),
        ),
        (
            "bar chart of sales: Q1 10, Q2 25, Q3 40",
            want!(CHART, title: "Sales", data: &[("Q1", 10.0), ("Q2", 25.0), ("Q3", 40.0)]),
        ),
        (
            "confetti particles celebrating 1000 users",
            want!(PARTICLES, title: "1000 Users"),
        ),
        (
            "rotating perfume bottle product shot in gold",
            want!(TURNTABLE, title: "Perfume Bottle", primary: "#d4a72c"),
        ),
        (
            "3D title saying KODA with a camera fly-through",
            want!(TITLE_3D, title: "KODA"),
        ),
        (
            "a calm intro for my podcast called Night Shift",
            want!(CARD, title: "Night Shift", background: "#22303c"),
        ),
        (
            "Make a 10 second kinetic typography video saying \"Ship it\" in black and yellow, portrait",
            want!(KINETIC, title: "Ship it", seconds: 10.0, aspect: "9:16", background: "#0b0b0c", primary: "#facc15"),
        ),
        (
            "Create a logo reveal for Northern Light Studio in teal, 5 seconds, square",
            want!(LOGO, title: "Northern Light Studio", seconds: 5.0, aspect: "1:1", primary: "#0f9b96"),
        ),
        (
            "Animated bar chart: Apples: 30%, Pears: 70%",
            want!(CHART, data: &[("Apples", 30.0), ("Pears", 70.0)]),
        ),
        (
            "Show the revenue of 2019 12m 2020 18m",
            want!(CHART, title: "Revenue", data: &[("2019", 12.0), ("2020", 18.0)]),
        ),
        (
            "chart 10, 20, 30",
            want!(CHART, data: &[("1", 10.0), ("2", 20.0), ("3", 30.0)]),
        ),
        (
            "42% of users prefer dark mode",
            want!(CHART, title: "42% of users prefer dark mode"),
        ),
        (
            "line chart of website visitors: Jan 1,200, Feb 1,850, Mar 2,400",
            want!(CHART, title: "Website Visitors", data: &[("Jan", 1200.0), ("Feb", 1850.0), ("Mar", 2400.0)]),
        ),
        (
            "Title \"Hello World\" with subtitle \"It begins\"",
            want!(CARD, title: "Hello World", subtitle: "It begins"),
        ),
        (
            "“Autumn” “New collection”, warm colours, for Instagram story",
            want!(CARD, title: "Autumn", subtitle: "New collection", aspect: "9:16"),
        ),
        (
            "title: Made for the web",
            want!(CARD, title: "Made for the web"),
        ),
        (
            "An intro titled Deep Work on a dark blue background with white text",
            want!(CARD, title: "Deep Work", text: "#ffffff"),
        ),
        (
            "white text on a red background saying Sale",
            want!(CARD, title: "Sale", text: "#ffffff", background: "#e5323b"),
        ),
        (
            "fireworks for new year 2027",
            want!(PARTICLES, title: "New Year 2027"),
        ),
        (
            "snow falling, 'Merry Christmas'",
            want!(PARTICLES, title: "Merry Christmas"),
        ),
        (
            "happy birthday Anna with confetti",
            want!(PARTICLES, title: "Happy Birthday Anna"),
        ),
        (
            "floating bubbles particle animation, text: Dive in, 60fps, 4k",
            want!(PARTICLES, title: "Dive in", fps: 60, resolution: "4k"),
        ),
        (
            "spinning sneaker on a pedestal",
            want!(TURNTABLE, title: "Sneaker"),
        ),
        (
            "product turntable of a coffee mug called 'Morning One'",
            want!(TURNTABLE, title: "Morning One"),
        ),
        (
            "360 product showcase for Aurora Headphones in silver",
            want!(TURNTABLE, title: "Aurora Headphones", primary: "#c3c8cf"),
        ),
        (
            "3d text \"NOVA\" chrome, ultrawide",
            want!(TITLE_3D, title: "NOVA", aspect: "21:9"),
        ),
        (
            "extruded 3D letters spelling BOOM, neon pink",
            want!(TITLE_3D, title: "BOOM"),
        ),
        (
            "make it 3D: Welcome to Mars",
            want!(TITLE_3D, title: "Welcome to Mars"),
        ),
        (
            "typewriter quote: \"Less is more\"",
            want!(KINETIC, title: "Less is more"),
        ),
        (
            "animate the slogan 'Think small' in a handwritten font",
            want!(KINETIC, title: "Think small", font: "Caveat"),
        ),
        (
            "kinetic text with lines: Wake up, Show up, Never give up",
            want!(KINETIC, title: "Never give up", lines: &["Wake up", "Show up"]),
        ),
        (
            "Kinetic typography saying Ready, set, go",
            want!(KINETIC, title: "Ready, set, go"),
        ),
        (
            "kinetic typography 'Dream' 'Plan' 'Do'",
            want!(KINETIC, title: "Do", lines: &["Dream", "Plan"]),
        ),
        (
            "lyric video text: 'We rise / we fall / we rise again'",
            want!(KINETIC, title: "we rise again", lines: &["We rise", "we fall"]),
        ),
        (
            "logo sting for Blue Apron",
            want!(LOGO, title: "Blue Apron"),
        ),
        (
            "brand ident 'Helios' with the tagline 'Power for all', orange",
            want!(LOGO, title: "Helios", subtitle: "Power for all", primary: "#f97316"),
        ),
        (
            "a logo animation for my company Fjord & Sons, 4 seconds",
            want!(LOGO, title: "Fjord & Sons", seconds: 4.0),
        ),
        (
            "Black Friday sale, bold",
            want!(CARD, title: "Black Friday Sale"),
        ),
        (
            "gradient title from blue to purple saying Horizon",
            want!(CARD, title: "Horizon", primary: "#2f6bff", accent: "#8b3fe0"),
        ),
        (
            "an opener for the conference RustConf, 24 fps, cinematic",
            want!(CARD, title: "RustConf", fps: 24, aspect: "21:9"),
        ),
        (
            "thank you for watching, pastel pink",
            want!(CARD, title: "Thank You for Watching"),
        ),
        (
            "Coming soon: a new chapter, half a minute",
            want!(CARD, seconds: 30.0),
        ),
        (
            "a vertical video for TikTok that says follow me",
            want!(CARD, title: "Follow me", aspect: "9:16"),
        ),
        (
            "square Instagram post announcing our bakery, cream background, brown text",
            want!(CARD, aspect: "1:1", background: "#f8f0da", text: "#7b4a2a"),
        ),
        ("welcome to Koda", want!(CARD, title: "Welcome to Koda")),
        ("hello", want!(CARD, title: "Hello")),
        (
            "Please make me an animation about the history of tea",
            want!(CARD, title: "History of Tea"),
        ),
        (
            "Intro with the text KODA LIVE in Bebas Neue, background #102030, accent #ff0",
            want!(CARD, title: "KODA LIVE", font: "Bebas Neue", background: "#102030", accent: "#ffff00"),
        ),
        (
            "quarterly revenue bar chart",
            want!(CHART, title: "Quarterly Revenue"),
        ),
        (
            "pie of budget: Rent 40%, Food 30%, Fun 30%",
            want!(CHART, title: "Budget", data: &[("Rent", 40.0), ("Food", 30.0), ("Fun", 30.0)]),
        ),
        (
            "infographic: Oslo -5, Cairo 31, Lima 22",
            want!(CHART, data: &[("Oslo", -5.0), ("Cairo", 31.0), ("Lima", 22.0)]),
        ),
        (
            "Q1 $1.2M, Q2 $3M, Q3 $4.5M",
            want!(CHART, data: &[("Q1", 1.2), ("Q2", 3.0), ("Q3", 4.5)]),
        ),
        (
            "Mon 5 Tue 8 Wed 13 in green bars",
            want!(CHART, primary: "#22a055", data: &[("Mon", 5.0), ("Tue", 8.0), ("Wed", 13.0)]),
        ),
        (
            "Poll results: Cats 61%, Dogs 39%, 8 seconds, 1:1",
            want!(CHART, seconds: 8.0, aspect: "1:1", data: &[("Cats", 61.0), ("Dogs", 39.0)]),
        ),
        (
            "an elegant title card for Maison Lune, black and gold",
            want!(CARD, title: "Maison Lune", background: "#0b0b0c", primary: "#d4a72c", font: "Playfair Display"),
        ),
        (
            "Explosion of stars, title 'Supernova', 12 seconds at 50 fps",
            want!(PARTICLES, title: "Supernova", seconds: 12.0, fps: 50),
        ),
        (
            "neon green kinetic typography for a gym: 'No excuses'",
            want!(KINETIC, title: "No excuses"),
        ),
        (
            "make a video in 4:3 that says RETRO TV",
            want!(CARD, title: "RETRO TV", aspect: "4:3"),
        ),
        ("Create an animation", want!(CARD)),
        (
            "Hey, can you make a short outro saying See you next week?",
            want!(CARD, title: "See you next week?"),
        ),
        (
            "give me a rotating watch on a podium, luxury, 1080x1920",
            want!(TURNTABLE, title: "Watch", aspect: "9:16"),
        ),
        (
            "text animation: DON'T PANIC",
            want!(KINETIC, title: "DON'T PANIC"),
        ),
        (
            "Launch teaser for 'Orbit 2.0', subtitle: Faster than ever, royal blue",
            want!(CARD, title: "Orbit 2.0", subtitle: "Faster than ever", primary: "#2f4fd8"),
        ),
        (
            "3D logo intro for VOLT with camera moves",
            want!(TITLE_3D, title: "VOLT"),
        ),
        (
            "I want a cool logo animation for my startup Lumen, purple gradient",
            want!(LOGO, title: "Lumen", primary: "#8b3fe0"),
        ),
        (
            "animate this quote by Steve Jobs: \"Design is how it works.\"",
            want!(KINETIC, title: "Design is how it works."),
        ),
        (
            "compare cats 60 vs dogs 40",
            want!(CHART, title: "Cats vs Dogs", data: &[("Cats", 60.0), ("Dogs", 40.0)]),
        ),
        (
            "Countdown to launch: 3, 2, 1, go!",
            want!(CARD, title: "Countdown to Launch"),
        ),
        (
            "kinetic typography of the quote: Stay hungry, stay foolish",
            want!(KINETIC, title: "Stay hungry, stay foolish"),
        ),
        (
            "market share: Apple 28%, Samsung 20%, Xiaomi 14%",
            want!(CHART, title: "Market Share"),
        ),
        (
            "sales by region - North: 120, South: 90, East: 75",
            want!(CHART, title: "Sales by Region", data: &[("North", 120.0), ("South", 90.0), ("East", 75.0)]),
        ),
        (
            "Particles forming the word DREAM",
            want!(PARTICLES, title: "DREAM"),
        ),
        (
            "Sparkling particles in gold and black, \"Happy New Year\"",
            want!(PARTICLES, title: "Happy New Year", background: "#0b0b0c", primary: "#d4a72c"),
        ),
        ("Title card: Chapter One", want!(CARD, title: "Chapter One")),
        (
            "opening title for a documentary called The Last Glacier, cold blue, slow and calm",
            want!(CARD, title: "The Last Glacier"),
        ),
        (
            "neon sign style title \"OPEN 24/7\"",
            want!(CARD, title: "OPEN 24/7", subtitle: ""),
        ),
        (
            "retro 80s synthwave title: Miami Nights",
            want!(CARD, title: "Miami Nights", seconds: 6.0),
        ),
        (
            "Title: Launch Day\nSubtitle: 12 March\nColors: #ff5500, #111111\nDuration: 7s\nAspect: 9:16",
            want!(CARD, title: "Launch Day", subtitle: "12 March", seconds: 7.0, aspect: "9:16", primary: "#ff5500", background: "#111111"),
        ),
        (
            "15 second animation with the title Quantum Leap and subtitle Physics made simple in emerald green",
            want!(CARD, title: "Quantum Leap", subtitle: "Physics made simple", seconds: 15.0, primary: "#10b981"),
        ),
        ("logo", want!(LOGO, title: "Your Brand")),
        (
            "Happy 40th birthday, Dad!",
            want!(PARTICLES, title: "Happy 40th Birthday, Dad"),
        ),
    ]
}

fn proposed(prompt: &str) -> (Plan, Studio) {
    let mut studio = Studio::new();
    studio.say(prompt);
    let plan = studio
        .proposal
        .clone()
        .unwrap_or_else(|| panic!("{prompt}: no plan, but “{}”", studio.told));
    (plan, studio)
}

#[test]
fn prompts_become_the_plans_that_they_ask_for() {
    let mut wrong = Vec::new();
    let table = table();
    assert!(table.len() >= 60);
    for (prompt, want) in table {
        let (plan, mut studio) = proposed(prompt);
        studio.approve();
        let design = studio.design();
        let mut hold = |what: &str, got: String, wanted: Option<String>| {
            if wanted.as_ref().is_some_and(|w| *w != got) {
                wrong.push(format!(
                    "{prompt:?}: {what} is {got:?}, not {:?}",
                    wanted.unwrap_or_default()
                ));
            }
        };
        let own = |s: Option<&str>| s.map(str::to_owned);
        hold(
            "recipe",
            plan.assumptions[0].clone(),
            Some(format!("Recipe: {}.", want.recipe)),
        );
        hold("title", design.title.clone(), own(want.title));
        hold("plan's title", plan.title.clone(), own(want.title));
        hold("subtitle", design.subtitle.clone(), own(want.subtitle));
        hold(
            "lines",
            design.lines.join("|"),
            want.lines.map(|l| l.join("|")),
        );
        let data: Vec<_> = design
            .data
            .iter()
            .map(|d| (d.label.as_str(), d.value))
            .collect();
        hold(
            "data",
            format!("{data:?}"),
            want.data.map(|d| format!("{d:?}")),
        );
        hold(
            "seconds",
            studio.settings.duration_seconds.to_string(),
            want.seconds.map(|s| s.to_string()),
        );
        hold(
            "aspect",
            studio.settings.aspect.to_string(),
            own(want.aspect),
        );
        hold(
            "fps",
            studio.settings.fps.get().to_string(),
            want.fps.map(|f| f.to_string()),
        );
        hold(
            "resolution",
            studio.settings.resolution.to_string(),
            own(want.resolution),
        );
        hold(
            "background",
            design.colors.background.clone(),
            own(want.background),
        );
        hold("primary", design.colors.primary.clone(), own(want.primary));
        hold("accent", design.colors.accent.clone(), own(want.accent));
        hold("text", design.colors.text.clone(), own(want.text));
        hold("font", design.fonts.title.clone(), own(want.font));
        let contrast = |a: &str, b: &str| Rgb::parse(a).unwrap().contrast(Rgb::parse(b).unwrap());
        if want.text.is_none()
            && contrast(&design.colors.text, &design.colors.background) < READABLE
        {
            wrong.push(format!(
                "{prompt:?}: the text cannot be read: {:?}",
                design.colors
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_background_is_as_dark_or_light_as_was_asked_for() {
    for (prompt, dark, primary) in [
        (
            "bar chart of coffee: Mon 12, Tue 19, teal on dark",
            true,
            Some("#0f9b96"),
        ),
        (
            "title card saying \"Morning\", violet, light mode",
            false,
            None,
        ),
        ("logo reveal for Acme on a dark background", true, None),
        (
            "title card saying \"Night\", yellow, with a light background",
            false,
            None,
        ),
        ("kinetic typography \"Go\", orange, dark theme", true, None),
    ] {
        let (_, mut studio) = proposed(prompt);
        studio.approve();
        let colors = studio.design().colors;
        let background = Rgb::parse(&colors.background).unwrap();
        assert_eq!(background.is_dark(), dark, "{prompt}: {colors:?}");
        if let Some(primary) = primary {
            assert_eq!(colors.primary, primary, "{prompt}");
        }
    }
}
