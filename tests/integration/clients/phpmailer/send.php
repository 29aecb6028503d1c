<?php
// Sends one mail with an attachment through PHPMailer; what goes wrong is printed as an application would see it.
require 'libphp-phpmailer/autoload.php';

[, $host, $port, $tls, $ca, $login, $password, $sender, $recipient, $subject, $body, $attachment] = $argv;

$mail = new PHPMailer\PHPMailer\PHPMailer(true);
try {
    $mail->isSMTP();
    $mail->Timeout = 30;
    $mail->Host = $host;
    $mail->Port = (int) $port;
    $mail->SMTPAuth = true;
    $mail->Username = $login;
    $mail->Password = $password;
    $mail->SMTPAutoTLS = false;
    $mail->SMTPSecure = ['none' => '', 'starttls' => 'tls', 'implicit' => 'ssl'][$tls];
    if ($ca !== '') {
        $mail->SMTPOptions = ['ssl' => ['cafile' => $ca]];
    }
    $mail->SMTPDebug = 1;
    $mail->Debugoutput = fn ($text) => fwrite(STDERR, $text . "\n");
    $mail->CharSet = 'UTF-8';
    $mail->setFrom($sender, 'Dott.ssa Anna Mühlbauer');
    $mail->addAddress($recipient);
    $mail->Subject = $subject;
    $mail->Body = file_get_contents($body);
    $mail->addAttachment($attachment, 'referto.bin');
    $mail->send();
} catch (Exception $error) {
    fwrite(STDERR, $error->getMessage() . "\n");
    exit(1);
}
