"""Names from a language model: whichever server speaks the OpenAI API."""
